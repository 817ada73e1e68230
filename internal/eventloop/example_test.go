package eventloop_test

import (
	"fmt"
	"time"

	"github.com/go-weir/weir/internal/eventloop"
	"github.com/go-weir/weir/poller"
)

// counter is a Target whose tasks need no closure: what to do is in the task.
type counter struct{ n int }

const (
	opAdd = iota
	opPrint
)

func (c *counter) Perform(t *eventloop.Task) {
	switch t.Op {
	case opAdd:
		c.n += t.Arg.(int)
	case opPrint:
		fmt.Println(c.n)
	}
}

// Any goroutine may post tasks. They run on the loop, one after the other, so
// what they change needs no lock.
func ExampleEventLoop_Post() {
	p, err := poller.New()
	if err != nil {
		fmt.Println(err) // no backend for this system
		return
	}
	l := eventloop.New(0, p)
	defer func() { _ = l.Close() }()

	go func() {
		c := &counter{}
		l.Post(eventloop.Task{Target: c, Op: opAdd, Arg: 40})
		l.Post(eventloop.Task{Target: c, Op: opAdd, Arg: 2})
		l.Post(eventloop.Task{Target: c, Op: opPrint})
		l.Post(eventloop.Task{Target: eventloop.Func(l.Stop)})
	}()
	if err := l.Run(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(l.Post(eventloop.Task{Target: eventloop.Func(func() {})}))
	// Output:
	// 42
	// false
}

// alarm has its timer embedded: arming it allocates nothing.
type alarm struct {
	eventloop.Timer
	loop *eventloop.EventLoop
	left int
}

func (a *alarm) OnExpire() {
	fmt.Println(a.left)
	if a.left--; a.left < 0 {
		a.loop.Stop()
		return
	}
	a.loop.Arm(&a.Timer, a.loop.Now()+time.Millisecond)
}

// A timer fires once. It may be armed again when it does.
func ExampleEventLoop_Arm() {
	p, err := poller.New()
	if err != nil {
		fmt.Println(err) // no backend for this system
		return
	}
	l := eventloop.New(0, p)
	defer func() { _ = l.Close() }()

	a := &alarm{loop: l, left: 2}
	a.Init(a)
	l.Arm(&a.Timer, time.Millisecond)
	if err := l.Run(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2
	// 1
	// 0
}
