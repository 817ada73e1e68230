package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/plugins/websocket"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// deadline is how long a test waits for what must happen.
const deadline = 20 * time.Second

// testLimits are the default ones, with news at once.
func testLimits() limits {
	l := defaultLimits()
	l.presenceEvery = 20 * time.Millisecond
	return l
}

// running is a chat that can be ended, once or more often.
type running struct {
	*server
	end func()
}

func start(t *testing.T, l limits) *running {
	t.Helper()
	return startAt(t, "127.0.0.1:0", l)
}

func startAt(t *testing.T, addr string, l limits) *running {
	t.Helper()
	s, err := newServer(config{addr: addr, loops: 2, limits: l})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	r := &running{server: s, end: sync.OnceFunc(func() {
		s.shutdown()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})}
	t.Cleanup(r.end)
	return r
}

// person is somebody in the chat.
type person struct {
	t    *testing.T
	conn *websocket.Client
}

// message is any that the server sends.
type message struct {
	T       string
	Code    string
	Room    string
	Name    string
	From    string
	Text    string
	N       uint64
	Here    int
	Names   []string
	Joins   int
	Leaves  int
	Joined  []string
	Left    []string
	History []message
	Online  int
	Total   int
	Rooms   []roomCount
}

// connect is somebody who is in no room yet.
func connect(t *testing.T, s *running) *person {
	t.Helper()
	target, err := socketURL(s.url())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	c, err := websocket.Dial(ctx, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() }) // it may have ended
	if err := c.NetConn().SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return &person{t, c}
}

// enter is somebody who has entered a room, and what they were told.
func enter(t *testing.T, s *running, room, name string) (*person, message) {
	t.Helper()
	p := connect(t, s)
	p.ask(request{T: askJoin, Room: room, Name: name})
	return p, p.hear("room")
}

func (p *person) ask(r request) {
	p.t.Helper()
	p.send(websocket.Text, string(encode(r)))
}

func (p *person) say(text string) {
	p.t.Helper()
	p.ask(request{T: askSay, Text: text})
}

func (p *person) send(kind websocket.Kind, s string) {
	p.t.Helper()
	if err := p.conn.Write(kind, []byte(s)); err != nil {
		p.t.Fatal(err)
	}
}

// next is the next message of any kind.
func (p *person) next() (m message, err error) {
	p.t.Helper()
	_, data, err := p.conn.Read()
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		p.t.Fatalf("%v: %s", err, data)
	}
	return m, nil
}

// hear waits for a message of a kind, whatever comes before.
func (p *person) hear(kind string) message {
	p.t.Helper()
	for {
		m, err := p.next()
		if err != nil {
			p.t.Fatalf("waiting for %q: %v", kind, err)
		}
		if m.T == kind {
			return m
		}
	}
}

// refused waits for an error with that code.
func (p *person) refused(code string) {
	p.t.Helper()
	if m := p.hear("error"); m.Code != code {
		p.t.Fatalf("refused with %q, want %q", m.Code, code)
	}
}

// closed waits for the server to close the connection.
func (p *person) closed() websocket.CloseError {
	p.t.Helper()
	for {
		_, err := p.next()
		if err == nil {
			continue
		}
		if e, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // Read returns it as it is
			return *e
		}
		p.t.Fatalf("the end is %v, want a close frame", err)
	}
}

// runBots has a swarm talk, and fails the test if that doesn't go well.
func runBots(ctx context.Context, t *testing.T, s *running, w *swarm) {
	w.url = s.url()
	if err := w.prepare(); err != nil {
		t.Error(err)
		return
	}
	f, err := w.run(ctx, &progress{w: io.Discard})
	if err != nil {
		t.Error(err)
		return
	}
	f.print(t.Output())
	if f.errors != 0 || f.connected != w.bots || f.said.Load() == 0 {
		t.Errorf("%d of %d bots connected, %d messages, %d errors; the first: %v", f.connected, w.bots, f.said.Load(), f.errors, f.first)
	}
}

// bots is runBots aside, until the function is called that it returns.
func bots(ctx context.Context, t *testing.T, s *running, w *swarm) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runBots(ctx, t, s, w)
	}()
	return func() {
		cancel()
		<-done
	}
}
