// Http answers /plaintext on the event loop, and everything else with package
// net/http: static files, and two handlers that show what a loop must not do.
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// long is what a client can make last: uploads as slow as it likes, and a stream without
// end. Each keeps a worker for that long.
func long() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sha256", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		if _, err := io.Copy(sum, r.Body); err != nil { // as it comes, however much
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = fmt.Fprintf(w, "%x\n", sum.Sum(nil)) // an error means that the client has gone
	})
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for tick := time.Tick(time.Second / 2); ; {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", time.Now().Format(time.RFC3339)) // an error ends the context, too
			w.(http.Flusher).Flush()
			select {
			case <-tick:
			case <-r.Context().Done(): // the client has gone
				return
			}
		}
	})
	return mux
}

func plaintext(w *http1.Response) {
	w.ContentType("text/plain; charset=utf-8")
	w.WriteString("Hello, World!")
}

func main() {
	addr := flag.String("addr", ":1833", "address to listen on")
	loops := flag.Int("loops", 0, "number of event loops (0: one per CPU)")
	dir := flag.String("dir", ".", "directory of the static files")
	metrics := flag.String("metrics", "", "address of the metrics server, such as localhost:9091 (empty: none)")
	flag.Parse()

	site := http.NewServeMux()
	site.Handle("GET /", http.FileServer(http.Dir(*dir)))
	files, err := http1.NewPool(site)
	if err != nil {
		log.Fatal(err)
	}
	apart, err := http1.NewPool(long()) // so that those who occupy it keep nobody from the files
	if err != nil {
		log.Fatal(err)
	}
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/plaintext":
			plaintext(w)
		case "/sha256", "/clock":
			apart.Serve(w, r)
		default:
			files.Serve(w, r)
		}
	}, http1.ServerField("weir"), http1.MaxBody(1<<30))
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(protocol, weir.CustomProtocol(protocol), weir.Address(*addr), weir.MetricsServer("", *metrics), weir.NumLoops(*loops))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("HTTP server on", s.Addrs()[0])

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(drain) // Start returns, whether or not it was in time
	})
	if err := s.Start(); err != nil {
		log.Fatal(err)
	}
}
