package protocoltest

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// serve sends stream to the server, cut as the plan says, and waits after each
// piece until it was delivered.
func (x *Tester) serve(stream []byte, p plan) (outcome, error) {
	l, err := x.dial()
	if err != nil {
		return outcome{}, err
	}
	if err := x.send(l, x.spec.Prelude); err != nil {
		return outcome{}, x.giveUp(l, err)
	}
	skip := make(chan int, 1)
	if err := l.conn.Execute(func() { skip <- len(l.messages) }); err != nil {
		return outcome{}, x.giveUp(l, fmt.Errorf("after the Prelude: %w", err))
	}
	ignored := <-skip
	for rest := stream; len(rest) > 0 && l.conn.Connected(); {
		n := len(rest)
		if p.cut != nil {
			n = min(p.cut(n), n)
		}
		if err := x.send(l, rest[:n]); err != nil {
			return outcome{}, x.giveUp(l, err)
		}
		rest = rest[n:]
	}
	closed := l.conn.Close() != nil
	written, err := x.hangUp(l)
	if x.stuck != nil {
		return outcome{}, err // the messages are the loop's still
	}
	o := outcome{messages: l.messages, written: written}
	o.messages = o.messages[min(ignored, len(o.messages)):]
	if closed {
		o.err = l.conn.Err()
	}
	return o, errors.Join(panicked(l.conn.Err()), err)
}

// send writes p and waits until the server has delivered it, or closed the
// connection.
func (x *Tester) send(l *link, p []byte) error {
	if _, err := l.peer.Write(p); err != nil {
		return err
	}
	x.sent += uint64(len(p))
	for deadline := time.Now().Add(x.patience); x.server.Stats().BytesIn < x.sent; runtime.Gosched() {
		if time.Now().After(deadline) {
			return x.hangs("UnPacket, or OnMessage,")
		}
	}
	return nil
}
