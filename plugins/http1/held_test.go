package http1_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

// settled waits until the server reads nothing more, and returns how much it has read.
func (s *server) settled(t testing.TB) int {
	t.Helper()
	last := uint64(0)
	eventually(t, "the server stops reading", func() bool {
		before := last
		time.Sleep(20 * time.Millisecond)
		last = s.Stats().BytesIn
		return last == before && last > 0
	})
	return int(last)
}

// TestHeldInput: while a reply is being made, little is read of the requests behind it;
// and the same the next time.
func TestHeldInput(t *testing.T) {
	release := make(chan struct{})
	pool := newPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release }))
	s := start(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/pool" {
			pool.Serve(w, r)
		}
	})
	const rounds, n, enough = 3, 1000, 300 << 10
	round := get("/pool") + strings.Repeat(get("/", "X-Fill: "+strings.Repeat("x", 1<<10)), n)
	p := dial(t, s)
	go func() { _, _ = io.WriteString(p, strings.Repeat(round, rounds)) }() // an error shows in the replies
	for i := range rounds {
		if got := s.settled(t) - i*len(round); got > enough {
			t.Errorf("round %d: %d bytes are read", i, got)
		}
		release <- struct{}{}
		for range 1 + n {
			p.expect(200, "")
		}
	}
}

// TestBodyResumed: more of a body is received before the handler has read all that there
// is, so that it need not wait.
func TestBodyResumed(t *testing.T) {
	const size = 1 << 20
	read := make(chan int)
	s := startPool(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadFull(r.Body, make([]byte, <-read)); err != nil {
			t.Error(err)
		}
		<-read
		n, err := io.Copy(io.Discard, r.Body)
		put(w, n, " ", err)
	}))
	p := dial(t, s)
	head := bodyHead(false, size)
	go func() { _, _ = io.WriteString(p, head+pattern(size)) }() // an error shows in the reply
	came := s.settled(t)
	const left = 10 << 10
	part := came - len(head) - left
	read <- part
	eventually(t, "more comes", func() bool { return s.Stats().BytesIn > uint64(came) })
	read <- 0
	p.expect(200, itoa(size-part)+" <nil>")
}
