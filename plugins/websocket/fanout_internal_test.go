package websocket

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// members makes a topic with that many members, which have no connections.
func members(n int) *topic {
	t := &topic{name: "t"}
	for i := range n {
		t.members = append(t.members, &member{topic: t, place: int32(i)})
	}
	return t
}

// TestRoundRemove: whoever leaves in the middle of a round, the others are each written
// to once, who came later is not, and a member that has got a part of the batch is the
// one that gets the rest.
func TestRoundRemove(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		top := members(rng.IntN(8))
		r := round{topic: top, end: len(top.members)}
		due := slices.Clone(top.members)
		var partial *member
		for r.at < r.end {
			switch rng.IntN(6) {
			case 0, 1: // one leaves
				e := top.members[rng.IntN(len(top.members))]
				r.remove(top, int(e.place))
				due = slices.DeleteFunc(due, func(d *member) bool { return d == e })
				if e == partial {
					partial = nil
					if r.given != 0 || r.again {
						t.Fatal("what the last one has got is taken for what the next one has")
					}
				}
			case 2: // one comes
				top.members = append(top.members, &member{topic: top, place: int32(len(top.members))})
			case 3: // the next one gets a part
				partial, r.given, r.again = top.members[r.at], 1, true
			default: // the next one is done
				e := top.members[r.at]
				if partial != nil && e != partial {
					t.Fatal("another one is written to before who has got a part")
				}
				i := slices.Index(due, e)
				if i < 0 {
					t.Fatal("written to twice, or too late")
				}
				due = slices.Delete(due, i, i+1)
				partial = nil
				r.at, r.given, r.again = r.at+1, 0, false
			}
			for i, e := range top.members {
				if int(e.place) != i {
					t.Fatalf("member %d believes it is %d", i, e.place)
				}
			}
			if rest := top.members[:cap(top.members)][len(top.members):]; slices.ContainsFunc(rest, func(e *member) bool { return e != nil }) {
				t.Fatal("one who has left is kept")
			}
		}
		if len(due) > 0 {
			t.Fatalf("%d were passed over", len(due))
		}
	}
}

// TestTopicEntry: the list of shards that somebody has read stays as it is.
func TestTopicEntry(t *testing.T) {
	h := &Hub{topics: make(map[string]*topicEntry)}
	all := make([]*shard, 5)
	for i := range all {
		all[i] = new(shard)
		if first := h.joined(all[i], "t", true); first != (i == 0) {
			t.Errorf("shard %d is the first one: %v", i, first)
		}
	}
	h.joined(all[1], "t", false)
	for _, s := range all[:4] {
		before := h.shards("t")
		kept := slices.Clone(before)
		h.left(s, "t", s != all[1])
		h.joined(new(shard), "t", true)
		if !slices.Equal(before, kept) {
			t.Fatal("a list that was read before has changed")
		}
	}
}

// TestSubscriptionsShrink: who subscribes and unsubscribes for ever takes no more memory
// for it.
func TestSubscriptionsShrink(t *testing.T) {
	var l subscriptions
	for i := range 100_000 {
		e := &member{topic: &topic{name: fmt.Sprint(i)}}
		l.add(e)
		if l.find(e.topic.name) != e || l.find("none") != nil {
			t.Fatal("what was added is not found, or what wasn't is")
		}
		if i > 0 { // the first one stays
			l.remove(e)
		}
		if l.find(e.topic.name) != nil && i > 0 {
			t.Fatal("what was taken out is found")
		}
	}
	if n := cap(l.list) + len(l.index); l.count != 1 || n > 4*shortList {
		t.Errorf("%d subscriptions take the place of %d", l.count, n)
	}
}

// exiting is a Broker that ends every goroutine that it is called on.
type exiting struct {
	Broker
	told []string
}

func (b *exiting) Unsubscribed(topic string) {
	b.told = append(b.told, topic)
	runtime.Goexit()
}

// TestBrokerExits: it is told of all topics all the same, and holds no lock.
func TestBrokerExits(t *testing.T) {
	b := new(exiting)
	h := &Hub{broker: b}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer h.lockBroker()()
		h.unsubscribed([]string{"a", "b", "c"})
	}()
	<-done
	if !slices.Equal(b.told, []string{"a", "b", "c"}) {
		t.Errorf("told of %q", b.told)
	}
	h.lockBroker()()
}

// TestFeed: with many producers everything comes out once, in each one's order. While
// there is something left, nobody else is asked to give the loop a task.
func TestFeed(t *testing.T) {
	const producers, each = 4, 5000
	var f feed
	tasks := make(chan struct{}, producers)
	for i := range producers {
		go func() {
			for n := range each {
				b := &publication{topic: fmt.Sprint(i)}
				b.loops.Store(int32(n))
				if f.push(b) {
					tasks <- struct{}{}
				}
			}
		}()
	}
	next := make(map[string]int32)
	for got := 0; got < producers*each; {
		select {
		case <-tasks:
		case <-time.After(20 * time.Second):
			t.Fatalf("no task, and %d have not come", producers*each-got)
		}
		for idle := false; !idle; idle = f.idle() {
			if len(tasks) > 0 {
				t.Fatal("a second task")
			}
			for b := f.peek(); b != nil && got%50 != 49; b = f.peek() { // as far as one goes in one go
				if n := b.loops.Load(); n != next[b.topic] {
					t.Fatalf("%d in place of %d", n, next[b.topic])
				}
				next[b.topic]++
				f.drop()
				got++
			}
			if b := f.peek(); b != nil {
				next[b.topic]++
				f.drop()
				got++
			}
		}
	}
}

// TestFeedStorage: what a flood needed is given up, and what was taken off at once.
func TestFeedStorage(t *testing.T) {
	var f feed
	for range 3 {
		for range 3 * keptFeed {
			f.push(new(publication))
		}
		for f.peek() != nil {
			f.drop()
			if f.taken[f.next-1] != nil {
				t.Fatal("what was taken off is kept")
			}
		}
	}
	if n := cap(f.taken) + cap(f.waiting); n > 2*keptFeed {
		t.Errorf("room for %d publications is kept", n)
	}
}
