package weir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/metrics"
	"github.com/prometheus/client_golang/prometheus"
)

// web gets what the MetricsServer of s has at path.
func web(t testing.TB, s *weir.Server, path string) (status int, body string) {
	t.Helper()
	status, body, err := fetch(s, path)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

// fetch is web for any goroutine. It leaves no connection behind.
func fetch(s *weir.Server, path string) (status int, body string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Get("http://" + s.MetricsAddr().String() + path)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	p, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(p), err
}

// sum adds up all values of a metric in the text of a scrape, those whose labels
// contain each of the given ones.
func sum(t testing.TB, scrape, name string, labels ...string) float64 {
	t.Helper()
	total, found := 0.0, false
lines:
	for line := range strings.Lines(scrape) {
		rest, ok := strings.CutPrefix(line, name+"{")
		if !ok {
			continue
		}
		has, value, _ := strings.Cut(rest, "} ")
		for _, l := range labels {
			if !strings.Contains(has, l) {
				continue lines
			}
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		total, found = total+v, true
	}
	if !found {
		t.Fatalf("the scrape has no %s with %q", name, labels)
	}
	return total
}

// metered has a MetricsServer on a port of its own.
func metered() weir.Option { return weir.MetricsServer("", "127.0.0.1:0") }

// TestMetricsServer asks for everything it serves.
func TestMetricsServer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		opts      []weir.Option
		path      string
		server    string // the label; "" is the address
		profiling int    // the status of /debug/pprof/
	}{
		{"by default", []weir.Option{metered()}, "/metrics", "", 404},
		{"path and name", []weir.Option{weir.MetricsServer("/internal/weir", "127.0.0.1:0"), weir.Name("chat")}, "/internal/weir", "chat", 404},
		{"profiling", []weir.Option{metered(), weir.MetricsProfiling(true)}, "/metrics", "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := startPair(t, &handler{message: echo}, tt.opts...)
			send(t, p.peer, "hello")
			expect(t, p.peer, "hello")
			server := tt.server
			if server == "" {
				server = p.server.Addrs()[0].String()
			}
			eventually(t, "the message is counted", func() bool {
				_, text := web(t, p.server, tt.path)
				return sum(t, text, "weir_received_bytes_total", fmt.Sprintf("server=%q", server)) == 5 &&
					sum(t, text, "weir_connections") == 1
			})
			for path, want := range map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/debug/pprof/": tt.profiling} {
				if status, body := web(t, p.server, path); status != want {
					t.Errorf("%s: status %d, want %d: %s", path, status, want, body)
				}
			}
		})
	}
}

func TestMetricsServerOff(t *testing.T) {
	s := start(t, &handler{}, weir.MetricsServer("", ""))
	if a := s.MetricsAddr(); a != nil {
		t.Errorf("it listens on %v", a)
	}
}

// TestMetricsServerErrors: what can't be is an error of NewServer, and nothing is
// left open then, which TestMain sees to.
func TestMetricsServerErrors(t *testing.T) {
	taken := start(t, &handler{}, metered()).MetricsAddr().String()
	for _, tt := range []struct {
		path, address string
		is            func(error) bool
	}{
		{"", "nowhere", func(err error) bool { var e *net.OpError; return errors.As(err, &e) }},
		{"", "127.0.0.1:99999", func(err error) bool { var e *net.OpError; return errors.As(err, &e) }},
		{"", taken, func(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }},
		{"metrics", "127.0.0.1:0", isOptionError},
		{"/readyz", "127.0.0.1:0", isOptionError},
		{"/readyz/", "127.0.0.1:0", isOptionError},
		{"//", "127.0.0.1:0", isOptionError},
		{"/a/", "127.0.0.1:0", isOptionError},
		{"/metrics//", "127.0.0.1:0", isOptionError},
		{"/debug/pprof/x", "127.0.0.1:0", isOptionError},
		{"/debug/pprof", "127.0.0.1:0", isOptionError},
	} {
		s, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"), weir.MetricsServer(tt.path, tt.address))
		if err == nil {
			_ = s.Stop() // the test has failed
		}
		if !tt.is(err) {
			t.Errorf("path %q, address %q: %v", tt.path, tt.address, err)
		}
	}
}

func isOptionError(err error) bool {
	var e *weir.OptionError
	return errors.As(err, &e)
}

// TestMetricsServerUnstarted: Stop gives its address back also if Start was not
// called.
func TestMetricsServerUnstarted(t *testing.T) {
	s := newServer(t, &handler{}, metered())
	addr := s.MetricsAddr().String()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close() // only to see that it could be had
}

// TestReadyWhileDraining: the server says that it is going before it is gone.
func TestReadyWhileDraining(t *testing.T) {
	h := &handler{message: echo}
	p := startPair(t, h, metered())
	onLoop(t, p.conn, func() bool { p.conn.Hold(true); return true }) // so that it doesn't finish
	ended := make(chan error, 1)
	go func() { ended <- p.server.Shutdown(context.Background()) }()
	eventually(t, "it is not ready", func() bool {
		status, body := web(t, p.server, "/readyz")
		return status == 503 && strings.Contains(body, "draining")
	})
	if status, _ := web(t, p.server, "/healthz"); status != 200 {
		t.Errorf("/healthz: status %d", status)
	}
	if st := p.server.Stats(); st.State != metrics.Draining {
		t.Errorf("the state is %q", st.State)
	}
	onLoop(t, p.conn, func() bool { p.conn.Hold(false); return true })
	if err := receive(t, ended); err != nil {
		t.Fatal(err)
	}
	if st := p.server.Stats(); st.State != metrics.Stopped {
		t.Errorf("in the end the state is %q", st.State)
	}
	if _, _, err := fetch(p.server, "/healthz"); err == nil {
		t.Error("the metrics server has outlived its server")
	}
}

// TestStopDuringRequest: Stop ends requests that would last.
func TestStopDuringRequest(t *testing.T) {
	s := newServer(t, &handler{}, metered(), weir.MetricsProfiling(true))
	started := make(chan error, 1)
	go func() { started <- s.Start() }()
	ended := make(chan error, 1)
	go func() {
		status, _, err := fetch(s, "/debug/pprof/trace?seconds=200")
		for err == nil && status == http.StatusConflict { // one of those below was before it
			status, _, err = fetch(s, "/debug/pprof/trace?seconds=200")
		}
		ended <- err
	}()
	eventually(t, "a request is being answered", func() bool {
		status, _, err := fetch(s, "/debug/pprof/trace?seconds=0.001")
		return err == nil && status == http.StatusConflict // only one at a time
	})
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, ended); err == nil {
		t.Error("the request was answered in full")
	}
	if err := receive(t, started); err != nil {
		t.Fatal(err)
	}
}

// counting is a Protocol that counts.
type counting struct {
	weir.DefaultProtocol
	prometheus.Collector
}

func TestProtocolCollector(t *testing.T) {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "weir_handshakes_total", Help: "Handshakes."})
	c.Add(3)
	s := start(t, &handler{}, metered(), weir.Name("chat"), weir.CustomProtocol(&counting{Collector: c}))
	if _, text := web(t, s, "/metrics"); sum(t, text, "weir_handshakes_total", `server="chat"`) != 3 {
		t.Error("the protocol's counter is not what it was")
	}
}

// TestCountersAddUp runs connections of every fate, and compares what is counted
// with what the peers know, to the byte; from two servers of one process at the
// same time.
func TestCountersAddUp(t *testing.T) {
	const limit, rounds = 20, 30
	for range 2 {
		t.Run("server", func(t *testing.T) {
			t.Parallel()
			s := start(t, &handler{message: echo}, quiet(), metered(), weir.NumLoops(2), weir.MaxConnections(limit))
			var sent, got, peers int64
			talk := func(c net.Conn, size int) {
				message := pattern(size)
				reply := make([]byte, size)
				done := make(chan error, 1)
				go func() { _, err := c.Write(message); done <- err }()
				n, err := io.ReadFull(c, reply)
				if err = errors.Join(err, receive(t, done)); err != nil || !bytes.Equal(reply, message) {
					t.Fatalf("after %d of %d bytes: %v", n, size, err)
				}
				sent, got = sent+int64(size), got+int64(n)
			}
			for i := range rounds {
				c := dial(t, s)
				peers++
				talk(c, 1+i*i*997)
				if i%3 == 0 {
					reset(t, c)
				} else if err := c.Close(); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it has gone", func() bool { return s.Stats().Open == 0 })
			}
			var open []net.Conn
			for range limit {
				c := dial(t, s)
				talk(c, 100)
				open = append(open, c)
				peers++
			}
			for range 5 {
				_, _ = io.Copy(io.Discard, dial(t, s)) // refused: the end of the stream, or a reset
				peers++
			}
			var text string
			eventually(t, "the last ones are counted", func() bool {
				_, text = web(t, s, "/metrics")
				return sum(t, text, "weir_sent_bytes_total") == float64(got) && sum(t, text, "weir_connections_refused_total") == 5
			})
			closed := sum(t, text, "weir_connections_closed_total")
			refused := sum(t, text, "weir_connections_refused_total")
			accepted := sum(t, text, "weir_connections_accepted_total")
			now := sum(t, text, "weir_connections")
			if accepted != float64(peers) || accepted != now+closed+refused || now != limit || closed != rounds {
				t.Errorf("%v accepted of %d, %v open, %v closed, %v refused", accepted, peers, now, closed, refused)
			}
			if n := sum(t, text, "weir_received_bytes_total"); n != float64(sent) {
				t.Errorf("%v bytes received, the peers have sent %d", n, sent)
			}
			if n := sum(t, text, "weir_connections_closed_total", `cause="peer"`); n != rounds-rounds/3 {
				t.Errorf("%v were ended by their peer, want %d", n, rounds-rounds/3)
			}
			for _, name := range []string{"weir_output_held_bytes", "weir_input_held_bytes", "weir_connections_paused"} {
				if n := sum(t, text, name); n != 0 {
					t.Errorf("%s is %v", name, n)
				}
			}
			for _, c := range open {
				_ = c.Close() // what counts is read
			}
		})
	}
}

// TestScrapeUnderLoad is for the race detector: scrapes, and looks at single
// connections, while loops work.
func TestScrapeUnderLoad(t *testing.T) {
	const clients = 8
	s := start(t, &handler{message: echo}, metered(), weir.NumLoops(2), weir.IdleTime(time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	for range clients {
		c := dial(t, s)
		wait.Go(func() {
			buf := make([]byte, 64)
			for ctx.Err() == nil {
				if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
					t.Error(err)
					return
				}
				if _, err := c.Write(buf); err != nil {
					t.Error(err)
					return
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var last, lastBusy float64
	for range 50 {
		_, text := web(t, s, "/metrics")
		n, busy := sum(t, text, "weir_received_messages_total"), sum(t, text, "weir_loop_busy_seconds_total")
		if n < last || busy < lastBusy {
			t.Fatalf("counters went back: messages from %v to %v, busy from %v to %v", last, n, lastBusy, busy)
		}
		last, lastBusy = n, busy
		for c := range s.ConnectionStats() {
			if !c.Peer.IsValid() || c.Input < 0 || s.Connection(weir.ConnID(c.ID)) == nil {
				t.Fatalf("%+v", c)
			}
		}
	}
	eventually(t, "callbacks were timed", func() bool {
		_, text := web(t, s, "/metrics")
		return sum(t, text, "weir_callback_seconds_count") > 0
	})
	for _, l := range s.Stats().Loops[:2] {
		if l.Busy <= 0 || l.Waited <= 0 {
			t.Errorf("loop %d was busy for %v and asleep for %v", l.Loop, l.Busy, l.Waited)
		}
	}
}

// TestSlowestCallback: a callback that is timed is known by its connection.
func TestSlowestCallback(t *testing.T) {
	const nap = 3 * time.Millisecond
	n := 0
	p := startPair(t, &handler{message: func(c *weir.Connection, ctx any, data []byte) any {
		if n++; n == metrics.CallbackSampling { // the one that is timed
			time.Sleep(nap)
		}
		return echo(c, ctx, data)
	}})
	for range metrics.CallbackSampling {
		send(t, p.peer, "x")
		expect(t, p.peer, "x")
	}
	for c := range p.server.ConnectionStats() {
		if c.SlowestCallback < nap || weir.ConnID(c.ID) != p.conn.ID() {
			t.Errorf("%+v, want a callback of %v", c, nap)
		}
	}
	eventually(t, "the loop's cycle has ended, and it is counted", func() bool {
		callbacks := p.server.Stats().Callbacks
		return callbacks.Count() == 1 && callbacks.Sum >= nap.Seconds()
	})
}

// bothCollects is Handler and Protocol in one, and counts.
type bothCollects struct {
	handler
	weir.DefaultProtocol
	prometheus.Counter
}

// TestCollectorTwice: what is Handler and Protocol in one is collected once. Twice
// would be an error of every scrape.
func TestCollectorTwice(t *testing.T) {
	both := &bothCollects{Counter: prometheus.NewCounter(prometheus.CounterOpts{Name: "greetings_total", Help: "Greetings."})}
	s := start(t, both, weir.CustomProtocol(both), metered(), weir.Name("chat"))
	both.Inc()
	if status, text := web(t, s, "/metrics"); status != http.StatusOK || !strings.Contains(text, "greetings_total{server=\"chat\"} 1\n") {
		t.Errorf("status %d: %.200s", status, text)
	}
}
