package servers

import "sync"

// room is the connections of type C that a broadcast goes to, in a server that has nothing of its own for that.
type room[C any] struct {
	mu    sync.Mutex
	conns []C // guarded by mu
}

// join adds a connection. welcome runs before anything is sent to it.
func (r *room[C]) join(c C, welcome func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	welcome()
}

// each calls send for every connection, on one goroutine at a time.
func (r *room[C]) each(send func(C)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		send(c)
	}
}
