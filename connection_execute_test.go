package weir_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// TestWake: any number of calls before the loop gets to it are one OnMessage,
// without ctx and data, whose answer is sent; a later one is another.
func TestWake(t *testing.T) {
	var calls atomic.Int64
	p := startPair(t, &handler{message: func(c *weir.Connection, ctx any, data []byte) any {
		if ctx != nil || data != nil {
			t.Errorf("OnMessage got %v and %q", ctx, data)
		}
		return fmt.Sprint("woken ", calls.Add(1))
	}})
	for round := range 3 {
		release := occupy(t, p.conn)
		var waking sync.WaitGroup
		for range 4 {
			waking.Go(func() {
				for range 100 {
					fail(t, p.conn.Wake())
				}
			})
		}
		waking.Wait()
		release()
		expect(t, p.peer, fmt.Sprint("woken ", round+1))
		onLoop(t, p.conn, p.conn.ID) // behind any other Wake
	}
	if n := calls.Load(); n != 3 {
		t.Errorf("OnMessage was called %d times, want 3", n)
	}
	fail(t, p.conn.Close())
	if err := p.conn.Wake(); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("Wake after Close: %v", err)
	}
	p.expectErr(t, weir.ErrConnectionClosed)
	if n := calls.Load(); n != 3 {
		t.Errorf("OnMessage was called %d times, want 3", n)
	}
}

// TestWakeThenClose: a Wake that the loop gets to after Close is forgotten.
func TestWakeThenClose(t *testing.T) {
	p := startPair(t, &handler{message: func(*weir.Connection, any, []byte) any {
		t.Error("OnMessage was called after Close")
		return nil
	}})
	release := occupy(t, p.conn)
	fail(t, errors.Join(p.conn.Wake(), p.conn.Close()))
	release()
	p.expectErr(t, weir.ErrConnectionClosed)
}

// TestExecute: functions run on the loop, in the order of the same goroutine's
// Sends, and what they write goes out in that order.
func TestExecute(t *testing.T) {
	const rounds = 500
	p := startPair(t, &handler{})
	var order, want []string // order is the loop's, until the connection has ended
	var wire strings.Builder
	release := occupy(t, p.conn)
	for i := range rounds {
		note := func(s string) { order = append(order, s) }
		a, b, c := fmt.Sprintf("[%d", i), fmt.Sprintf("|%d|", i), fmt.Sprintf("%d]", i)
		fail(t, p.conn.Send(a, weir.SendInLoop(func(any) { note(a) })))
		fail(t, p.conn.Execute(func() {
			note(b)
			fail(t, p.conn.WritePacket(b))
		}))
		fail(t, p.conn.Send(c, weir.SendInLoop(func(any) { note(c) })))
		want = append(want, a, b, c)
		wire.WriteString(a + b + c)
		if i == rounds/2 {
			release()
		}
	}
	expect(t, p.peer, wire.String())
	fail(t, p.conn.Close())
	p.expectErr(t, weir.ErrConnectionClosed)
	if fmt.Sprint(order) != fmt.Sprint(want) {
		t.Errorf("order %v", order)
	}
	if err := p.conn.Execute(func() { t.Error("run after the end") }); !errors.Is(err, weir.ErrConnectionClosed) {
		t.Errorf("Execute after the end: %v", err)
	}
}

// TestExecuteOfLost: a function whose connection ends first is not run.
func TestExecuteOfLost(t *testing.T) {
	p := startPair(t, &handler{})
	release := occupy(t, p.conn)
	fail(t, p.conn.Execute(func() { fail(t, p.conn.Close()) }))
	reset(t, p.peer) // which the loop sees first
	fail(t, p.conn.Execute(func() { t.Error("run after the end") }))
	release()
	for receive(t, p.ended) != p.conn {
	}
	if !wasReset(p.conn.Err()) {
		t.Errorf("Err is %v", p.conn.Err())
	}
}
