//go:build unix

package http1_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
)

// slowReader reads so many bytes at once, and then nothing for a while. What is tested
// is that it takes its time.
type slowReader struct {
	io.Reader
	piece int
	pause time.Duration
}

func (r slowReader) Read(p []byte) (int, error) {
	time.Sleep(r.pause)
	return r.Reader.Read(p[:min(len(p), r.piece)])
}

// dialSlow is dial for a client that reads slowly, and whose system takes little for it
// in advance, and acknowledges that in small steps.
func dialSlow(t testing.TB, s *server, piece int, pause time.Duration) *peer {
	t.Helper()
	small := func(_, _ string, c syscall.RawConn) (err error) {
		failed := c.Control(func(fd uintptr) {
			err = errors.Join(syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1200))
		})
		return errors.Join(err, failed)
	}
	c, err := (&net.Dialer{Control: small}).Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{c.(*net.TCPConn), bufio.NewReader(slowReader{c, piece, pause}), t}
}

// TestPoolSlowReader: a client that reads without a pause is not stalled, even if its
// system's buffers take so much that nothing more can be sent for long.
func TestPoolSlowReader(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	protocol, err := http1.New(newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for p := make([]byte, 1<<20); ; {
			if _, err := w.Write(p); err != nil {
				failed <- err
				return
			}
		}
	}), http1.StallTimeout(time.Second)).Serve)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.SocketWriteBuffer(1<<20)) // the system moves on when a third of that is free
	p := dialSlow(t, s, 4<<10, 10*time.Millisecond)
	p.send(get("/"))
	if n, err := io.CopyN(io.Discard, p.r, 800<<10); err != nil { // two seconds
		t.Errorf("%v after %d bytes", err, n)
	}
	select {
	case err := <-failed:
		t.Errorf("the handler is told %v", err)
	default:
	}
	_ = p.Close()
	_ = receive(t, failed)  // whatever it is
	_ = receive(t, s.ended) // whatever the cause
}

// TestIdleWhileReading: the idle time does not run while a reply is read, wherever it is;
// it does for a client that does not read it.
func TestIdleWhileReading(t *testing.T) {
	t.Parallel()
	content := pattern(800 << 10)
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/large" {
			w.SetBody([]byte(content))
		}
	}, http1.IdleTimeout(700*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.SocketWriteBuffer(64<<10), weir.Linger(300*time.Millisecond))
	p, never := dialSlow(t, s, 4<<10, 10*time.Millisecond), dialSlow(t, s, 1, 0)
	never.send(get("/large"))
	p.send(get("/large"))
	p.expect(200, content) // takes two seconds
	p.send(get("/"))
	p.expect(200, "")
	_ = p.Close()
	idle := 0
	for range 2 {
		if errors.Is(receive(t, s.ended), weir.ErrIdleTimeout) {
			idle++
		}
	}
	if idle != 1 {
		t.Errorf("%d connections were idle, want one", idle)
	}
}

// TestIdleAfterReading: the idle time of a client begins when it has read the reply, at
// whichever moment that is.
func TestIdleAfterReading(t *testing.T) {
	t.Parallel()
	const idle, least, step = 500 * time.Millisecond, 240 << 10, 32 << 10 // 600 ms, and 80 ms
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		w.WriteString(pattern(least + step*int(r.Path()[1]-'a')))
	}, http1.IdleTimeout(idle))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.SocketWriteBuffer(64<<10))
	var readers sync.WaitGroup
	for i := range 12 {
		p := dialSlow(t, s, 4<<10, 10*time.Millisecond)
		p.send(get("/" + string(rune('a'+i))))
		readers.Go(func() {
			r, err := http.ReadResponse(p.r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			const last = 64 << 10 // more than its system has room for
			_, err = io.CopyN(io.Discard, r.Body, r.ContentLength-last)
			before := time.Now() // its system has yet to acknowledge the end of the rest
			n, rest := io.Copy(io.Discard, r.Body)
			_, end := p.r.ReadByte()
			if n != last || err != nil || rest != nil || !errors.Is(end, io.EOF) {
				t.Errorf("%d of the last %d bytes, %v, %v, %v", n, last, err, rest, end)
			}
			if d := time.Since(before); d < idle*9/10 {
				t.Errorf("closed after %v", d)
			}
		})
	}
	readers.Wait()
}

// TestSlowEnd: a reply behind which the connection ends has as much time as the client
// needs that goes on reading it.
func TestSlowEnd(t *testing.T) {
	t.Parallel()
	const size = 800 << 10
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { put(w, pattern(size)) }))
	protocol, err := http1.New(func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/pool":
			pool.Serve(w, r)
		case "/stream":
			w.WriteString(pattern(size))
			_ = w.Stream().Close() // an error shows at the client
		default:
			w.SetBody([]byte(pattern(size)))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, protocol, weir.Linger(time.Second), weir.SocketWriteBuffer(64<<10))
	for name, request := range map[string]string{
		"close":       get("/", "Connection: close"),
		"1.0":         "GET / HTTP/1.0\r\n\r\n",
		"pool":        get("/pool", "Connection: close"),
		"stream":      get("/stream", "Connection: close"),
		"half-closed": get("/"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := dialSlow(t, s, 4<<10, 10*time.Millisecond)
			p.send(request)
			if name == "half-closed" {
				if err := p.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			n, err := io.Copy(io.Discard, p.r) // takes two seconds
			if n < size || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}
