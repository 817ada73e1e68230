package http1_test

import (
	"errors"
	"io"
	"testing"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// TestStream: a response that is written from elsewhere, piece by piece.
func TestStream(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	s := start(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/stream" {
			path(w, r)
			return
		}
		w.ContentType("text/plain")
		w.WriteString("first ")
		streams <- w.Stream()
	})
	write := func(t *testing.T, stream *http1.Stream) {
		t.Helper()
		for _, piece := range []string{"second ", "", "third"} {
			if n, err := stream.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if err := stream.Close(); err != nil {
			t.Errorf("the second Close: %v", err)
		}
		if _, err := stream.Write([]byte("x")); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Write behind Close: %v", err)
		}
	}
	const raw = "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n7\r\nsecond \r\n5\r\nthird\r\n0\r\n\r\n"

	t.Run("chunked", func(t *testing.T) {
		p := dial(t, s)
		p.send(get("/stream") + get("/next")) // it has to wait
		stream := receive(t, streams)
		write(t, stream)
		for line := ""; line != "Content-Type: text/plain\r\n"; {
			var err error
			if line, err = p.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		p.expectRaw(raw[len("Content-Type: text/plain\r\n"):])
		p.expect(200, "/next")
		p.send(get("/again"))
		p.expect(200, "/again")
	})
	t.Run("1.0", func(t *testing.T) {
		p := dial(t, s)
		p.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		write(t, receive(t, streams))
		if r := p.expect(200, "first second third"); !r.Close {
			t.Error("there is no other way to say where it ends")
		}
		p.expectEnd()
	})
	t.Run("HEAD", func(t *testing.T) {
		p := dial(t, s)
		p.send(request("HEAD", "/stream", "") + get("/next"))
		write(t, receive(t, streams))
		if _, content := p.response("HEAD"); content != "" {
			t.Errorf("body %q", content)
		}
		p.expect(200, "/next")
	})
	t.Run("close", func(t *testing.T) {
		p := dial(t, s)
		p.send(get("/stream", "Connection: close"))
		write(t, receive(t, streams))
		p.expect(200, "first second third")
		p.expectEnd()
	})
	t.Run("client goes", func(t *testing.T) {
		var stream *http1.Stream // loop only, until the connection has ended
		s := start(t, func(w *http1.Response, _ *http1.Request) { stream = w.Stream() })
		p := dial(t, s)
		p.send(get("/stream"))
		if err := p.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := receive(t, s.ended); !errors.Is(err, io.EOF) {
			t.Errorf("the cause is %v", err)
		}
		if _, err := stream.Write([]byte("x")); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Write: %v", err)
		}
		if err := stream.Close(); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestStreamOnLoop: a stream that the Handler itself writes.
func TestStreamOnLoop(t *testing.T) {
	p := dial(t, start(t, func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		for i := range 3 {
			put(stream, i)
		}
		_ = stream.Close() // an error shows at the client
	}))
	p.send(get("/") + get("/") + request("POST", "/", "body"))
	for range 3 {
		p.expect(200, "012")
	}
}
