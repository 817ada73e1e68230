package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// A small server that answers on the loop, and passes on to a Pool what it doesn't
// answer itself.
func Example() {
	pool, err := http1.NewPool(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "nothing at "+r.URL.Path, http.StatusNotFound)
	}))
	if err != nil {
		log.Fatal(err)
	}
	p, err := http1.New(func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/hello":
			w.ContentType("text/plain")
			w.WriteString("Hello, ")
			w.Write(r.Query())
		case "/upper":
			r.ReadBody(func(w *http1.Response, _ *http1.Request, body []byte) {
				w.SetBody(bytes.ToUpper(body))
			})
		default:
			pool.Serve(w, r)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(p, weir.CustomProtocol(p), weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	url := "http://" + s.Addrs()[0].String()
	show := func(r *http.Response, err error) {
		if err != nil {
			log.Fatal(err)
		}
		defer r.Body.Close()
		content, err := io.ReadAll(r.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.StatusCode, strings.TrimSpace(string(content)))
	}
	show(http.Get(url + "/hello?world"))
	show(http.Post(url+"/upper", "text/plain", strings.NewReader("a whisper")))
	show(http.Get(url + "/elsewhere"))
	http.DefaultClient.CloseIdleConnections()
	_ = s.Stop() // which has no error to return
	// Output:
	// 200 Hello, world
	// 200 A WHISPER
	// 404 nothing at /elsewhere
}

// A stream is written for as long as there is something to say, from any goroutine.
func ExampleStream() {
	p, err := http1.New(func(w *http1.Response, r *http1.Request) {
		w.ContentType("text/event-stream")
		events := w.Stream()
		go func() {
			defer events.Close()
			for _, e := range []string{"one", "two", "three"} {
				if _, err := fmt.Fprintf(events, "data: %s\n\n", e); err != nil {
					return // the client has gone
				}
			}
		}()
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(p, weir.CustomProtocol(p), weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = s.Start() }() // it returns nil after Stop

	r, err := http.Get("http://" + s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if lines.Text() != "" {
			fmt.Println(lines.Text())
		}
	}
	_ = r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	_ = s.Stop() // which has no error to return
	// Output:
	// data: one
	// data: two
	// data: three
}

// A Head needs no server: it parses what has come so far, and says when that is
// all of it.
func ExampleHead_Parse() {
	var received []byte
	var h http1.Head
	for _, segment := range []string{"GET /path?q=1 HT", "TP/1.1\r\nHost: exam", "ple.com\r\n\r\nwhat follows"} {
		received = append(received, segment...)
		n, err := h.Parse(received)
		switch {
		case err != nil:
			log.Fatal(err)
		case n == 0:
			fmt.Println("not all there yet")
		default:
			fmt.Printf("%s %s of %s, then %q\n", h.Method(), h.Path(), h.Header("Host"), received[n:])
		}
	}
	h.Reset()
	_, err := h.Parse([]byte("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n"))
	fmt.Println(err)
	// Output:
	// not all there yet
	// not all there yet
	// GET /path of example.com, then "what follows"
	// http1: 400 Bad Request: a field name is not a token with a colon right behind it
}
