package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
)

// swarm is bots that talk to one another, in rooms of a chat.
type swarm struct {
	bots, rooms   int
	url           string
	every, length time.Duration // between two messages of a bot; of the talk

	// any goroutine
	figures figures
	crowds  []atomic.Int64 // bots by room
	numbers atomic.Int64   // messages
	sent    [1 << 16]atomic.Int64
	over    atomic.Bool
	tag     string // tells this swarm's messages from those of others
	begin   time.Time
}

const (
	dialers    = 64               // bots that connect, or leave, at a time
	talkers    = 4                // goroutines that send for all bots
	patience   = 10 * time.Second // with a server that does not answer
	stragglers = 3 * time.Second  // with messages that are on their way at the end
)

// prepare checks what the flags say, and fills in what they don't.
func (w *swarm) prepare() error {
	own := w.url == ""
	if w.rooms == 0 {
		w.rooms = (w.bots + 49) / 50
	}
	switch {
	case w.rooms < 0 || w.rooms > w.bots:
		return errors.New("-rooms must be between 1 and the number of bots")
	case own && w.rooms > defaultLimits().rooms:
		return fmt.Errorf("-rooms must be at most %d", defaultLimits().rooms)
	case w.every < 10*time.Millisecond || w.length <= 0:
		return errors.New("-every must be at least 10ms, and -for positive")
	}
	need := w.bots + 64
	if own {
		need += w.bots // both ends are here
	}
	if have := descriptors(); need > have {
		return fmt.Errorf("-swarm %d takes %d descriptors, and this process may have %d (ulimit -n)", w.bots, need, have)
	}
	w.tag = fmt.Sprintf("%03x", rand.IntN(1<<12))
	w.crowds = make([]atomic.Int64, w.rooms)
	w.begin = time.Now()
	return nil
}

// socketURL turns the URL of a chat's page into that of its socket.
func socketURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", err
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("-url %s: not a URL such as http://localhost:1833", s)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/ws"
	}
	u.Fragment = ""
	return u.String(), nil
}

// run has the bots connect, talk and leave, and returns how that went. An early end of
// the context ends the talk.
func (w *swarm) run(ctx context.Context, p *progress) (*figures, error) {
	target, err := socketURL(w.url)
	if err != nil {
		return nil, err
	}
	w.figures.bots = w.bots
	p.phase("connecting", w.bots)
	begin := time.Now()
	bots := w.connect(ctx, target, p)
	w.figures.connecting = time.Since(begin)

	p.phase("talking", int(w.length.Milliseconds()))
	begin = time.Now()
	w.talk(ctx, bots, p)
	w.figures.talking = time.Since(begin)
	w.await()

	p.phase("leaving", len(bots))
	w.leave(bots, p)
	p.end()
	return &w.figures, nil
}

// connect returns the bots that have entered their rooms.
func (w *swarm) connect(ctx context.Context, target string, p *progress) []*bot {
	var (
		running sync.WaitGroup
		next    atomic.Int64
		mu      sync.Mutex
		bots    []*bot
	)
	for range min(dialers, w.bots) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < w.bots && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				b, err := newBot(ctx, w, target, i)
				p.add(1)
				if err != nil {
					if ctx.Err() == nil {
						w.figures.fail(fmt.Errorf("bot %d: %w", i, err))
					}
					continue
				}
				mu.Lock()
				bots = append(bots, b)
				mu.Unlock()
			}
		})
	}
	running.Wait()
	w.figures.connected = len(bots)
	return bots
}

// talk has one bot after the other say something, so that each does every so often.
func (w *swarm) talk(ctx context.Context, bots []*bot, p *progress) {
	if len(bots) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, w.length)
	defer cancel()
	rand.Shuffle(len(bots), func(i, j int) { bots[i], bots[j] = bots[j], bots[i] })
	begin := time.Now()
	gap := w.every / time.Duration(len(bots))
	var running sync.WaitGroup
	for first := range min(talkers, len(bots)) {
		running.Go(func() {
			for turn := first; sleep(ctx, time.Until(begin.Add(gap*time.Duration(turn)))); turn += talkers {
				bots[turn%len(bots)].talk()
			}
		})
	}
	for sleep(ctx, 100*time.Millisecond) {
		p.set(int(time.Since(begin).Milliseconds()))
	}
	running.Wait()
}

// sleep waits, and reports whether the context goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// await gives what was sent last the time to arrive.
func (w *swarm) await() {
	f := &w.figures
	for end := time.Now().Add(stragglers); f.delivered.Load() < f.expected.Load() && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
}

// leave has all bots take leave.
func (w *swarm) leave(bots []*bot, p *progress) {
	w.over.Store(true)
	var running sync.WaitGroup
	var next atomic.Int64
	for range min(dialers, len(bots)) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(bots); i = int(next.Add(1)) - 1 {
				bots[i].leave(websocket.NormalClosure)
				p.add(1)
			}
		})
	}
	running.Wait()
}
