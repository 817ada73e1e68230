package protocoltest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-weir/weir"
)

// patience is how long anything may take that a protocol has a part in, unless a
// test says otherwise. It is long, because it only matters for one that never
// returns.
const patience = 30 * time.Second

// Tester is a Spec with a server for its Protocol. Its methods are for any
// goroutine; one that is called while another is running waits for it.
type Tester struct {
	// set once
	spec     Spec
	server   *weir.Server
	ended    chan error // what Start has returned
	patience time.Duration

	// guarded by mu
	mu    sync.Mutex
	sent  uint64 // bytes sent to the server
	stuck error  // the loop has not come back from the protocol, and won't

	// guarded by linkMu
	linkMu sync.Mutex
	link   *link // the only connection, or the last
}

// New returns a Tester whose server runs until the test ends.
func New(tb testing.TB, s Spec) *Tester {
	tb.Helper()
	x := &Tester{spec: s, ended: make(chan error, 1), patience: patience}
	var err error
	x.server, err = weir.NewServer((*callbacks)(x), weir.Address("127.0.0.1:0"), weir.NumLoops(1),
		weir.CustomProtocol(s.Protocol), weir.Logger(slog.New(slog.DiscardHandler)))
	if err != nil {
		tb.Fatal(err)
	}
	go func() { x.ended <- x.server.Start() }()
	tb.Cleanup(func() {
		if x.stuck != nil {
			return // so would Stop be
		}
		_ = x.server.Stop() // which returns none
		if err := <-x.ended; err != nil && !errors.Is(err, weir.ErrServerStopped) {
			tb.Error(err)
		}
	})
	return x
}

// link is one connection, seen from both sides.
type link struct {
	// set once
	peer   *net.TCPConn
	opened chan *weir.Connection
	closed chan struct{}
	conn   *weir.Connection

	// loop only, until closed
	messages []Message // what OnMessage was given
}

// dial makes a connection to the server. x.mu is held until it is gone.
func (x *Tester) dial() (*link, error) {
	if x.stuck != nil {
		return nil, x.stuck
	}
	l := &link{opened: make(chan *weir.Connection, 1), closed: make(chan struct{})}
	x.setLink(l)
	peer, err := net.Dial("tcp", x.server.Addrs()[0].String())
	if err != nil {
		return nil, err
	}
	l.peer = peer.(*net.TCPConn)
	select {
	case l.conn = <-l.opened:
	case <-time.After(x.patience):
		return nil, errors.Join(x.hangs("OnConnect"), l.peer.Close())
	}
	// Reset instead of ended: thousands of ports in TIME_WAIT would be too many.
	err = errors.Join(l.peer.SetLinger(0), l.peer.SetDeadline(time.Now().Add(x.patience)))
	if err != nil {
		return nil, x.giveUp(l, err)
	}
	return l, nil
}

// hangs notes that the loop is stuck.
func (x *Tester) hangs(callback string) error {
	x.stuck = fmt.Errorf("%s has not returned for %v", callback, x.patience)
	return x.stuck
}

// hangUp waits for the end of a connection that was closed on the server's
// side, and returns what was sent to the peer.
func (x *Tester) hangUp(l *link) (written []byte, err error) {
	written, err = io.ReadAll(l.peer)
	if err := x.giveUp(l, err); err != nil {
		return nil, err
	}
	if x.spec.Written != nil {
		written = x.spec.Written(written)
	}
	return written, nil
}

// giveUp ends a connection from the peer's side, and returns err, what was wrong
// with it.
func (x *Tester) giveUp(l *link, err error) error {
	err = errors.Join(err, l.peer.Close())
	if x.stuck != nil {
		return err
	}
	select {
	case <-l.closed:
		return err
	case <-time.After(x.patience):
		return x.hangs("UnPacket, or a callback,")
	}
}

func (x *Tester) setLink(l *link) {
	x.linkMu.Lock()
	defer x.linkMu.Unlock()
	x.link = l
}

func (x *Tester) getLink() *link {
	x.linkMu.Lock()
	defer x.linkMu.Unlock()
	return x.link
}

// message is a message as it is kept for the comparison.
func (x *Tester) message(ctx any, payload []byte) Message {
	if x.spec.Copy != nil {
		ctx = x.spec.Copy(ctx)
	}
	return Message{ctx, append([]byte{}, payload...)}
}

// callbacks is a Tester as its server sees it.
type callbacks Tester

func (cb *callbacks) OnConnect(c *weir.Connection) {
	x := (*Tester)(cb)
	if x.spec.Handler != nil {
		x.spec.Handler.OnConnect(c)
	}
	x.getLink().opened <- c
}

func (cb *callbacks) OnMessage(c *weir.Connection, ctx any, data []byte) (out any) {
	x := (*Tester)(cb)
	l := x.getLink()
	l.messages = append(l.messages, x.message(ctx, data))
	if x.spec.Handler != nil {
		return x.spec.Handler.OnMessage(c, ctx, data)
	}
	return nil
}

func (cb *callbacks) OnClose(c *weir.Connection) {
	x := (*Tester)(cb)
	if x.spec.Handler != nil {
		x.spec.Handler.OnClose(c)
	}
	close(x.getLink().closed)
}
