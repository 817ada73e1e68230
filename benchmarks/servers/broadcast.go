package servers

import (
	"bytes"
	"sync"
)

// broadcast sends one message to many connections of type C, on a goroutine of its own.
type broadcast[C comparable] struct {
	send func(C)
	wake chan struct{}

	// guarded by mu
	mu    sync.Mutex
	conns []C
	asked int
}

// pushMessage is the message of the Push role; load expects these bytes.
func pushMessage(size int) []byte { return bytes.Repeat([]byte{'p'}, size) }

// newBroadcast begins to wait for requests.
func newBroadcast[C comparable](send func(C)) *broadcast[C] {
	b := &broadcast[C]{send: send, wake: make(chan struct{}, 1)}
	go b.run()
	return b
}

// join adds a connection, which has to hear of it.
func (b *broadcast[C]) join(c C) {
	b.mu.Lock()
	b.conns = append(b.conns, c)
	b.mu.Unlock()
}

// ask has the message sent n times.
func (b *broadcast[C]) ask(n int) {
	b.mu.Lock()
	b.asked += n
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *broadcast[C]) run() {
	for range b.wake {
		b.mu.Lock()
		conns, n := b.conns[:len(b.conns):len(b.conns)], b.asked
		b.asked = 0
		b.mu.Unlock()
		for range n {
			for _, c := range conns {
				b.send(c)
			}
		}
	}
}
