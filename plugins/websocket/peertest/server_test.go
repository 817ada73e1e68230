package peertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// patience is how long a test waits for what must happen. It is never the measure of
// anything.
const patience = 30 * time.Second

// messageLimit is the server's.
const messageLimit = 4 << 20

// server is what the peers talk to. At the path /echo it sends back what comes. At /ask
// it does what a text message says:
//
//	close 4001 why     close with that code and reason
//	ping hello         ping
//	drop               end without a close frame
//	burst 8 100 64     have 8 goroutines write 100 messages of at least 64 bytes each
//	ended x            say how the connection with ?id=x in its path has ended
type server struct {
	*weir.Server
	protocol *websocket.Protocol
	ctx      context.Context

	// guarded by mu
	mu   sync.Mutex
	ends map[string]chan string // by id: code and reason
}

// serve runs a server until the test ends.
func serve(t *testing.T) *server {
	t.Helper()
	s := &server{ctx: t.Context(), ends: make(map[string]chan string)}
	s.protocol = websocket.New(nil,
		websocket.MessageLimit(messageLimit),
		websocket.InflatedLimit(messageLimit),
		websocket.Subprotocols("best", "good"),
		websocket.Compression(codec.Deflate{Takeover: true}),
		websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
			path, query, _ := strings.Cut(string(r.Target()), "?")
			return websocket.Answer{UserData: session{path, strings.TrimPrefix(query, "id=")}}, nil
		}))
	var err error
	s.Server, err = weir.NewServer(websocket.Wrap(s), weir.CustomProtocol(s.protocol), weir.Address("127.0.0.1:0"),
		weir.NumLoops(2), weir.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Start() }()
	t.Cleanup(func() {
		_ = s.Stop() // which returns none
		if err := <-done; err != nil && !errors.Is(err, weir.ErrServerStopped) {
			t.Error(err)
		}
	})
	return s
}

func (s *server) url(path string) string { return "ws://" + s.Addrs()[0].String() + path }

// counts waits until the server's counts, which are a little old, are as they have to be.
func (s *server) counts(t *testing.T, right func(websocket.Stats) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		st := s.protocol.Stats()
		if right(st) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the counts are %+v", st)
		}
	}
}

// session is a connection's user data.
type session struct{ path, id string }

// end is where the end of the connection with that id is told, once.
func (s *server) end(id string) chan string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[id] == nil {
		s.ends[id] = make(chan string, 1)
	}
	return s.ends[id]
}

// ended waits for the end of the connection with that id.
func (s *server) ended(ctx context.Context, id string) string {
	select {
	case how := <-s.end(id):
		return how
	case <-time.After(patience):
	case <-ctx.Done():
	}
	return "it has not"
}

func (s *server) OnOpen(*websocket.Conn) {}

func (s *server) OnClose(c *websocket.Conn, code websocket.Code, reason string) {
	if u := c.UserData().(session); u.id != "" {
		s.end(u.id) <- strings.TrimSpace(fmt.Sprintf("%d %s", code, reason))
	}
}

func (s *server) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
	if c.UserData().(session).path != "/ask" {
		_ = c.Reply(kind, data) // an error means that the connection is ending
		return
	}
	if err := s.obey(c, string(data)); err != nil {
		_ = c.Close(websocket.InternalError, err.Error())
	}
}

func (s *server) obey(c *websocket.Conn, order string) error {
	verb, rest, _ := strings.Cut(order, " ")
	switch verb {
	case "close":
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseUint(code, 10, 16)
		if err != nil {
			return err
		}
		return c.Close(websocket.Code(n), reason)
	case "ping":
		return c.Ping([]byte(rest))
	case "drop":
		return c.CloseNow()
	case "burst":
		var writers, each, size int
		if _, err := fmt.Sscan(rest, &writers, &each, &size); err != nil {
			return err
		}
		burst(c, writers, each, size)
		return nil
	case "ended":
		go func() { _ = c.WriteText([]byte(s.ended(s.ctx, rest))) }()
		return nil
	}
	return errors.New("what?")
}

// burst has goroutines write messages like "3 17 ........": who, the how manieth, and
// something to make it long.
func burst(c *websocket.Conn, writers, each, size int) {
	for who := range writers {
		go func() {
			for i := range each {
				p := fmt.Appendf(nil, "%d %d ", who, i)
				p = append(p, bytes.Repeat([]byte{'.'}, size)...)
				if c.WriteText(p) != nil {
					return
				}
			}
		}()
	}
}
