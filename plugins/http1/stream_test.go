package http1_test

import (
	"errors"
	"io"
	"testing"
	"time"

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
}

// TestStreamGone: a client that ends its half still gets the rest of a stream, one that
// is gone ends it; either is told.
func TestStreamGone(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	s := start(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/stream" {
			path(w, r)
			return
		}
		streams <- w.Stream()
	})
	t.Run("half", func(t *testing.T) {
		p := dial(t, s)
		p.send(get("/stream") + get("/stream") + get("/next"))
		if err := p.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			stream := receive(t, streams)
			receive(t, stream.Done())
			put(stream, "still ", "there")
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
			p.expect(200, "still there")
		}
		p.expect(200, "/next")
		p.expectEnd()
		if err := receive(t, s.ended); !errors.Is(err, io.EOF) {
			t.Errorf("the cause is %v", err)
		}
	})
	t.Run("reset", func(t *testing.T) {
		p := dial(t, s)
		p.send(get("/stream"))
		stream := receive(t, streams)
		done := stream.Done()
		if err := errors.Join(p.SetLinger(0), p.Close()); err != nil {
			t.Fatal(err)
		}
		receive(t, done)
		receive(t, stream.Done())
		if _, err := stream.Write([]byte("x")); !errors.Is(err, weir.ErrConnectionClosed) {
			t.Errorf("Write: %v", err)
		}
		for range 2 {
			if err := stream.Close(); !errors.Is(err, weir.ErrConnectionClosed) {
				t.Errorf("Close: %v", err)
			}
		}
		_ = receive(t, s.ended) // whatever the cause
		receive(t, stream.Done())
	})
}

// TestStreamShutdown: no stream keeps a server from shutting down.
func TestStreamShutdown(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	s := start(t, func(w *http1.Response, r *http1.Request) { streams <- w.Stream() })
	p, half := dial(t, s), dial(t, s)
	for _, p := range []*peer{p, half} {
		p.send(get("/"))
	}
	receive(t, streams)
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	receive(t, receive(t, streams).Done())
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for range 2 {
		_ = receive(t, s.ended) // whatever the cause
	}
}

// TestStreamFull: a stream can be closed when there is no room for anything more, and
// the client, when it comes to read, gets all that was accepted, and the end of it.
func TestStreamFull(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/stream" {
			path(w, r)
			return
		}
		streams <- w.Stream()
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.WriteBufferMarks(1<<10, 2<<10), weir.WriteBufferLimit(64<<10), weir.SocketWriteBuffer(16<<10))
	p := dial(t, s)
	p.send(get("/stream") + get("/next"))
	stream := receive(t, streams)
	accepted := 0
	for _, size := range []int{4 << 10, 1} { // until there is no room for a chunk of one byte
		var err error
		for quiet := 0; quiet < 3; {
			var n int
			n, err = stream.Write([]byte(pattern(size)))
			if accepted += n; err == nil {
				quiet = 0
				continue
			}
			if quiet++; !errors.Is(err, weir.ErrWriteBufferFull) {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // the system may take some more
		}
	}
	if err := stream.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if r, content := p.response("GET"); len(content) != accepted {
		t.Errorf("%s, %d bytes, want %d", r.Status, len(content), accepted)
	}
	p.expect(200, "/next")
}

// TestStreamUnreadBody: a stream is no reason to take a request's body for the next
// request.
func TestStreamUnreadBody(t *testing.T) {
	s := start(t, func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		put(stream, string(r.Path()))
		_ = stream.Close() // an error shows at the client
	})
	for _, framing := range []string{"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"} {
		p := dial(t, s)
		p.send("POST /a HTTP/1.1\r\nHost: a\r\n" + framing)
		if r := p.expect(200, "/a"); !r.Close {
			t.Error("the connection stays open")
		}
		p.expectEnd()
	}
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
