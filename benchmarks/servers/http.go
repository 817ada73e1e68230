package servers

import (
	"io"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/plugins/http1"
)

// plainType is the Content-Type of every answer. Each server adds a Date, and its name if it is used to.
const plainType = "text/plain; charset=utf-8"

func weirHTTP(c Config) error {
	p, err := http1.New(weirPlaintext, http1.ServerField("weir"))
	if err != nil {
		return err
	}
	return serveWeir(c, p, weir.CustomProtocol(p))
}

func weirPlaintext(w *http1.Response, r *http1.Request) {
	if string(r.Path()) != load.Plaintext {
		w.Status(http.StatusNotFound)
		return
	}
	w.ContentType(plainType)
	w.WriteString(load.PlaintextBody)
}

func fasthttpServer() Server {
	return Server{
		Name: "fasthttp", Module: "github.com/valyala/fasthttp",
		Setup: "Server with a Handler and a Name, defaults otherwise",
		Roles: map[Role]func(Config) error{HTTP: func(c Config) error {
			s := &fasthttp.Server{Handler: fasthttpPlaintext, Name: "fasthttp"}
			return s.ListenAndServe(c.Address)
		}},
	}
}

func fasthttpPlaintext(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) != load.Plaintext {
		ctx.SetStatusCode(fasthttp.StatusNotFound)
		return
	}
	ctx.SetContentType(plainType)
	ctx.SetBodyString(load.PlaintextBody)
}

func netHTTPServer() Server {
	return Server{
		Name:  "net/http",
		Setup: "the standard library: ListenAndServe with a ServeMux",
		Roles: map[Role]func(Config) error{HTTP: func(c Config) error {
			mux := http.NewServeMux()
			mux.HandleFunc(load.Plaintext, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", plainType)
				_, _ = io.WriteString(w, load.PlaintextBody) // an error means that the connection has ended
			})
			return http.ListenAndServe(c.Address, mux)
		}},
	}
}
