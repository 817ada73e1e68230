package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket"
)

// config is what the flags say.
type config struct {
	addr    string
	metrics string // address of the metrics server; empty: none
	loops   int
	limits  limits
}

// drainTime is how long clients have to take leave when the server stops.
const drainTime = 5 * time.Second

// What a client that doesn't read may be behind. A history fits.
const (
	slowBacklog = 512 << 10
	outLimit    = 2 << 20
)

// server is the chat with all that belongs to it, on one port.
type server struct {
	// set once
	*weir.Server
	chat *chat
}

func newServer(c config) (*server, error) {
	s := &server{chat: newChat(c.limits)}
	protocol := websocket.New(nil,
		websocket.Fallback(s.page),
		websocket.OnUpgrade(onUpgrade),
		websocket.MessageLimit(c.limits.frame),
		websocket.MaxTopics(2),
		websocket.PublishLimit(c.limits.publish),
		websocket.SlowSubscribers(websocket.CloseSlow, slowBacklog),
	)
	s.chat.protocol = protocol
	var err error
	s.Server, err = weir.NewServer(websocket.Wrap(s.chat),
		weir.CustomProtocol(protocol),
		weir.Address(c.addr),
		weir.MetricsServer("", c.metrics),
		weir.NumLoops(c.loops),
		weir.WriteBufferLimit(outLimit),
		weir.SlowConsumer(weir.CloseSlow),
	)
	if err != nil {
		return nil, err
	}
	s.RunEvery(c.limits.presenceEvery, s.chat.tick)
	s.RunEvery(statsEvery, s.chat.tellStats)
	return s, nil
}

// onUpgrade says where the socket is.
func onUpgrade(r *websocket.Request) (websocket.Answer, error) {
	if string(r.Path()) != "/ws" {
		return websocket.Answer{}, &websocket.Refusal{Status: http.StatusNotFound, Body: "the socket is at /ws\n"}
	}
	return websocket.Answer{}, nil
}

// page answers plain HTTP.
func (s *server) page(w *http1.Response, r *http1.Request) {
	if m := r.Method(); m != http.MethodGet && m != http.MethodHead {
		w.Header("Allow", "GET, HEAD")
		fail(w, http.StatusMethodNotAllowed)
		return
	}
	switch path := string(r.Path()); path {
	case "/ws":
		w.Header("Upgrade", "websocket")
		fail(w, http.StatusUpgradeRequired)
	case "/healthz":
		if s.chat.stopping.Load() {
			fail(w, http.StatusServiceUnavailable)
			return
		}
		w.ContentType("text/plain; charset=utf-8")
		_, _ = w.WriteString("ok\n") // never fails
	default:
		a, ok := assets[path]
		if !ok {
			fail(w, http.StatusNotFound)
			return
		}
		a.serve(w, bytes.Equal(r.Header("If-None-Match"), []byte(a.tag)))
	}
}

// fail answers with a status and its text.
func fail(w *http1.Response, status int) {
	w.Status(status)
	w.ContentType("text/plain; charset=utf-8")
	_, _ = w.WriteString(http.StatusText(status) + "\n") // never fails
}

// url is where a browser on this machine finds the page.
func (s *server) url() string {
	addr := s.Addrs()[0].String()
	if host, port, err := net.SplitHostPort(addr); err == nil && net.ParseIP(host).IsUnspecified() {
		addr = "localhost:" + port
	}
	return "http://" + addr
}

// shutdown ends the server. The protocol tells the clients that it goes away.
func (s *server) shutdown() {
	s.chat.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	_ = s.Shutdown(ctx) // Start returns, whether or not it was in time
}
