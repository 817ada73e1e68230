package websocket

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// opened is a Handler that says who has come.
type opened struct {
	Base
	conns chan *Conn
}

func (h opened) OnOpen(c *Conn) { h.conns <- c }

// stalled is a connection of a server whose client reads nothing, and whose system
// takes nothing more.
func stalled(t *testing.T, p *Protocol, opts ...weir.Option) *Conn {
	t.Helper()
	h := opened{conns: make(chan *Conn, 1)}
	s, err := weir.NewServer(Wrap(h), append([]weir.Option{
		weir.CustomProtocol(p), weir.Address("127.0.0.1:0"), weir.NumLoops(1),
		weir.Linger(0), weir.SocketWriteBuffer(16 << 10), weir.Logger(slog.New(slog.DiscardHandler)),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Start() // it ends with Stop
	}()
	t.Cleanup(func() { _ = s.Stop(); <-done })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, err := Dial(ctx, "ws://"+s.Addrs()[0].String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.CloseNow() })
	_ = client.NetConn().(*net.TCPConn).SetReadBuffer(16 << 10)
	return <-h.conns
}

// TestBacklog: a subscriber is slow from the first byte over its backlog on, and if the
// system takes nothing; the connection is closed once, and not again.
func TestBacklog(t *testing.T) {
	const backlog = 2 << 20
	for _, policy := range []SlowPolicy{DropSlow, CloseSlow} {
		p := New(nil, SlowSubscribers(policy, backlog))
		w := stalled(t, p, weir.WriteBufferLimit(2*backlog))
		message := Prepare(codec.Text, []byte("m"))
		result := make(chan Stats, 1)
		var run func()
		run = func() {
			s := w.shard
			if unsent := w.Buffered(); unsent == 0 || !w.c.WriteBlocked() {
				_ = w.Reply(codec.Binary, make([]byte, 64<<10)) // more than the system takes, once
				_ = s.loop.Execute(run)
				return
			}
			fill := backlog - int(w.Buffered())
			_ = w.c.WriteFrame([]byte(strings.Repeat("x", fill)), nil)
			for range 3 {
				s.sendTo(w, message)
			}
			if w.mustFlush(Prepare(codec.Text, make([]byte, backlog))) {
				t.Error("what the system takes nothing of is waited for")
			}
			w.bits.Or(bitClosing) // one that is being closed isn't slow
			s.sendTo(w, message)
			_ = w.c.Close()
			w.bits.And(^bitClosing) // nor is one that has been
			s.sendTo(w, message)
			result <- s.counts
		}
		if err := w.shard.loop.Execute(run); err != nil {
			t.Fatal(err)
		}
		st := <-result
		want := Stats{Delivered: 1, Dropped: 2}
		if policy == CloseSlow {
			want = Stats{Delivered: 1, Dropped: 1, SlowEnded: 1}
		}
		if st.Delivered != want.Delivered || st.Dropped != want.Dropped || st.SlowEnded != want.SlowEnded {
			t.Errorf("policy %d: %d delivered, %d dropped, %d ended", policy, st.Delivered, st.Dropped, st.SlowEnded)
		}
	}
}

// TestBehindPublications: what has to be done behind publications is done for a
// connection that is still there.
func TestBehindPublications(t *testing.T) {
	w := stalled(t, New(nil))
	result := make(chan string, 1)
	if err := w.shard.loop.Execute(func() {
		s := w.shard
		var done string
		later := func(what string) func() { return func() { done += what } }
		w.behindPublications(later("a")) // at once: it is not subscribed
		_ = w.Subscribe("t")
		w.behindPublications(later("b")) // at once: nothing is published
		_ = w.Publish("t", codec.Text, nil)
		w.behindPublications(later("d"))
		done += "c"
		s.writePublications()
		_ = w.Publish("t", codec.Text, nil)
		w.behindPublications(later("x"))
		w.flags |= flagEnded
		s.writePublications()
		w.flags &^= flagEnded
		result <- done
	}); err != nil {
		t.Fatal(err)
	}
	if got := <-result; got != "abcd" {
		t.Errorf("done: %q", got)
	}
}

// TestMustFlush: a message that there is no room for waits until what was written before
// is offered to the system, but once only: others may go on writing.
func TestMustFlush(t *testing.T) {
	const limit = 1 << 10
	w := stalled(t, New(nil), weir.WriteBufferMarks(1, limit/2), weir.WriteBufferLimit(limit))
	result := make(chan string, 1)
	if err := w.shard.loop.Execute(func() {
		s := w.shard
		var done string
		send := func(sizes ...int) {
			r := new(round)
			for _, n := range sizes {
				r.batch = append(r.batch, &publication{message: Prepare(codec.Binary, make([]byte, n))})
			}
			for range len(sizes) + 1 {
				before := s.counts.Delivered + s.counts.Dropped
				done += fmt.Sprint(s.sendBatch(r, w), s.counts.Delivered+s.counts.Dropped-before, " ")
			}
		}
		send(limit) // which never fits
		send(500)
		send(600) // which would
		send(600, 600)
		result <- done
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := <-result, "true 1 true 0 true 1 true 0 false 0 true 1 false 0 false 1 true 1 "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
