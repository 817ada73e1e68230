package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/metrics"
)

const browserPatience = 4 * time.Minute

// TestLiveBrowser opens the page in Chromium, with a server behind it that has
// traffic; live/browsertest/test.mjs says what it looks for. The screenshots are
// kept by go test -artifacts.
func TestLiveBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the live page is not opened in a browser")
	}
	node, chromium := tool(t, "node", "nodejs"), browser(t)
	if _, err := os.Stat("live/browsertest/node_modules/playwright-core"); err != nil {
		missing(t, "playwright-core is missing: run npm ci in metrics/live/browsertest")
	}
	s := startEcho(t)
	l := metrics.NewLive(s)
	defer l.Close()
	page := &restartable{handler: l}
	page.start(t, "127.0.0.1:0")
	defer page.stop()

	const conns = 24
	load(t, s, conns)

	control := http.NewServeMux()
	control.HandleFunc("/stop", func(http.ResponseWriter, *http.Request) { page.stop() })
	control.HandleFunc("/restart", func(http.ResponseWriter, *http.Request) { page.start(t, page.addr) })
	control.HandleFunc("/drain", func(http.ResponseWriter, *http.Request) {
		t.Cleanup(s.drain(t))
	})
	controlled := httptest.NewServer(control)
	defer controlled.Close()

	ctx, cancel := context.WithTimeout(t.Context(), browserPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "test.mjs", chromium,
		"http://"+page.addr+"/", controlled.URL, strconv.Itoa(conns), t.ArtifactDir())
	cmd.Dir = "live/browsertest"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// browser finds Chrome or Chromium.
func browser(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("google-chrome"); err == nil {
		return path
	}
	return tool(t, "chromium", "chromium")
}

// echo sends back what it receives, and to who asks for a flood, more than the
// system takes at once.
type echo struct{ *weir.Server }

func (echo) OnConnect(*weir.Connection) {}
func (echo) OnClose(*weir.Connection)   {}

func (echo) OnMessage(c *weir.Connection, _ any, data []byte) any {
	if bytes.HasPrefix(data, []byte("flood")) {
		return make([]byte, 16<<20)
	}
	return data
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	e := &echo{}
	var err error
	e.Server, err = weir.NewServer(e, weir.Address("127.0.0.1:0"), weir.NumLoops(2), weir.Linger(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- e.Start() }()
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

// drain begins a Shutdown. What it returns ends it.
func (e *echo) drain(t *testing.T) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Shutdown(ctx) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v, want that it was cut short: somebody has not read yet", err)
		}
	}
}

// load keeps conns connections busy until the test ends, but for one, which does
// not read what it is sent. Some that came before them have gone.
func load(t *testing.T, s *echo, conns int) {
	t.Helper()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range 5 {
		dial().Close()
	}
	var running sync.WaitGroup
	var all []net.Conn
	for i := range conns {
		c := dial()
		all = append(all, c)
		if i == 0 {
			if _, err := c.Write([]byte("flood")); err != nil {
				t.Fatal(err)
			}
			continue
		}
		running.Go(func() { talk(c) })
	}
	t.Cleanup(func() {
		for _, c := range all {
			c.Close()
		}
		running.Wait()
	})
}

// talk sends and receives, now more and now less, until its connection is closed.
func talk(c net.Conn) {
	message := bytes.Repeat([]byte("x"), 64)
	answer := make([]byte, 1024)
	pause := time.NewTicker(4 * time.Millisecond)
	defer pause.Stop()
	for range pause.C {
		for range 1 + rand.IntN(6) {
			if _, err := c.Write(message); err != nil {
				return
			}
			if _, err := c.Read(answer); err != nil {
				return
			}
		}
	}
}

// restartable is an HTTP server that comes again at the same address.
type restartable struct {
	handler http.Handler
	addr    string

	mu     sync.Mutex
	server *http.Server
}

func (r *restartable) start(t *testing.T, addr string) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addr = ln.Addr().String()
	r.server = &http.Server{Handler: r.handler}
	go func(s *http.Server) {
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}(r.server)
}

func (r *restartable) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.server.Close() // it has no listener any more, which is the purpose
}
