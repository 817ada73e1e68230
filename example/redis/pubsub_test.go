package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestPublish: messages of one publisher come in order, to subscribers on all
// loops, each in the version that it speaks.
func TestPublish(t *testing.T) {
	addr := start(t, "")
	const messages = 200
	var reading sync.WaitGroup
	for i := range 6 {
		p, version := dial(t, addr), 2+i%2
		p.do(fmt.Sprint("HELLO ", version))
		kind := map[int]string{2: "", 3: ">"}[version]
		p.expect("SUBSCRIBE ch", kind+`["subscribe" "ch" :1]`)
		reading.Go(func() {
			for i := range messages {
				if got, want := p.read(), fmt.Sprintf(`%s["message" "ch" "hello %d"]`, kind, i); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	p := dial(t, addr)
	for i := range messages {
		p.expect(fmt.Sprintf(`PUBLISH ch "hello %d"`, i), ":6")
	}
	p.expect("PUBLISH other x", ":0")
	reading.Wait()
}

// TestNoMessageAfterUnsubscribe: one that was on its way would be taken for the
// reply to the next command.
func TestNoMessageAfterUnsubscribe(t *testing.T) {
	addr := start(t, "")
	stop := make(chan struct{})
	var publishing sync.WaitGroup
	for range 2 {
		p := dial(t, addr)
		publishing.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					p.do("PUBLISH ch x")
				}
			}
		})
	}
	p := dial(t, addr)
	for range 100 {
		p.send("SUBSCRIBE ch", "UNSUBSCRIBE ch", "PING")
		for got := p.read(); !strings.HasPrefix(got, `["unsub`); got = p.read() {
			if got != `["message" "ch" "x"]` && got != `["subscribe" "ch" :1]` {
				t.Fatalf("got %s", got)
			}
		}
		if got := p.read(); got != "+PONG" {
			t.Fatalf("got %s in place of the reply", got)
		}
	}
	close(stop)
	publishing.Wait()
}

// TestMessageBeforeUnsubscribe: what was published while a client was subscribed reaches
// it, before the confirmation that it is not any more, in one pipeline too.
func TestMessageBeforeUnsubscribe(t *testing.T) {
	addr := start(t, "")
	p := dial(t, addr)
	p.do("HELLO 3")
	for _, end := range []struct{ command, reply string }{
		{"UNSUBSCRIBE ch", `>["unsubscribe" "ch" :0]`},
		{"UNSUBSCRIBE", `>["unsubscribe" "ch" :0]`},
		{"RESET", "+RESET"},
	} {
		p.send("SUBSCRIBE ch", "PUBLISH ch a", "PUBLISH ch b", end.command, "PUBLISH ch c", "PING")
		for _, want := range []string{
			`>["subscribe" "ch" :1]`, ":1", ":1", `>["message" "ch" "a"]`, `>["message" "ch" "b"]`, end.reply, ":0", "+PONG",
		} {
			if got := p.read(); got != want {
				t.Fatalf("%s: got %s, want %s", end.command, got, want)
			}
		}
	}

	// Another one publishes, and is told that a subscriber was reached.
	other, q := dial(t, addr), dial(t, addr)
	for i := range 100 {
		q.expect("SUBSCRIBE ch", `["subscribe" "ch" :1]`)
		other.expect(fmt.Sprint("PUBLISH ch ", i), ":1")
		q.send("UNSUBSCRIBE", "PING")
		for _, want := range []string{fmt.Sprintf(`["message" "ch" "%d"]`, i), `["unsubscribe" "ch" :0]`, "+PONG"} {
			if got := q.read(); got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
}

// TestLeave: who is gone is subscribed to nothing.
func TestLeave(t *testing.T) {
	addr := start(t, "")
	gone, p := dial(t, addr), dial(t, addr)
	gone.expect("SUBSCRIBE ch", `["subscribe" "ch" :1]`)
	p.expect("PUBLISH ch x", ":1")
	gone.Close()
	for p.do("PUBLISH ch x") != ":0" { // until the deadline of p
	}
}
