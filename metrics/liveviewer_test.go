package metrics_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/metrics"
)

// upTo is 1, 2, … n, from a first number on.
func upTo(first, n uint64) (list []uint64) {
	for i := first; i <= n; i++ {
		list = append(list, i)
	}
	return list
}

// TestLiveHistory: a page that opens later sees what was before, five minutes of
// it, and each second after that once.
func TestLiveHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := plain()
		l := metrics.NewLive(source)
		defer l.Close()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w := watch(t, l)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		history, samples := w.messages(t)
		if want := upTo(302, 601); !slices.Equal(history, want) {
			t.Errorf("the history is %v, want 302 to 601", history)
		}
		if want := upTo(602, 604); !slices.Equal(samples, want) {
			t.Errorf("then %v, want %v", samples, want)
		}
		if asked, walked := source.counts(); asked != 604 || walked != 3 {
			t.Errorf("counts asked for %d times and connections %d times, want 604 and 3: nobody looked before", asked, walked)
		}
	})
}

// TestLiveManyLoops: history takes no more room for a server with many loops.
func TestLiveManyLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := plain()
		one := source.stats
		source.stats = func(asked int) metrics.Stats {
			st := one(asked)
			st.Loops = append(st.Loops, make([]metrics.LoopStats, 127)...)
			return st
		}
		l := metrics.NewLive(source)
		defer l.Close()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		w := watch(t, l)
		synctest.Wait()
		if history, _ := w.messages(t); len(history) != 16384/129 {
			t.Errorf("%d samples, want %d", len(history), 16384/129)
		}
	})
}

// TestLiveShared: viewers cost no sample of their own.
func TestLiveShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := plain()
		l := metrics.NewLive(source)
		defer l.Close()
		synctest.Wait()
		viewers := []*watcher{watch(t, l), watch(t, l), watch(t, l)}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for _, w := range viewers {
			if _, samples := w.messages(t); !slices.Equal(samples, upTo(2, 11)) {
				t.Errorf("a viewer got %v, want 2 to 11", samples)
			}
		}
		if asked, _ := source.counts(); asked != 11 {
			t.Errorf("asked %d times in ten seconds, want 11", asked)
		}
	})
}

// TestLiveSlowViewer: one that does not read is dropped after a few seconds. The
// others get every sample meanwhile, and its page may come again.
func TestLiveSlowViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(plain())
		defer l.Close()
		synctest.Wait()
		slow := &watcher{header: make(http.Header), code: http.StatusOK, stalled: make(chan struct{})}
		slow.open(t, l)
		quick := watch(t, l)
		begin := time.Now()
		<-slow.ended
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("it was dropped after %v", took)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if _, samples := quick.messages(t); len(samples) < 8 || !slices.Equal(samples, upTo(2, uint64(len(samples)+1))) {
			t.Errorf("the other viewer got %v, want every second's", samples)
		}
		slow.stalled = nil
		slow.open(t, l)
		synctest.Wait()
		if history, _ := slow.messages(t); len(history) < 8 {
			t.Errorf("it came again and got a history of %v", history)
		}
	})
}

// TestLiveTrickle: one that takes each event just before it is given up on falls
// behind, and is dropped for that.
func TestLiveTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(plain())
		defer l.Close()
		synctest.Wait()
		w := &watcher{header: make(http.Header), code: http.StatusOK, stalled: make(chan struct{})}
		w.open(t, l)
		trickle := time.NewTicker(4900 * time.Millisecond)
		defer trickle.Stop()
		begin := time.Now()
		for running := true; running; {
			select {
			case <-w.ended:
				running = false
			case <-trickle.C:
				w.mu.Lock()
				close(w.stalled)
				w.stalled = make(chan struct{})
				w.mu.Unlock()
			}
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("it was dropped after %v", took)
		}
		if _, samples := w.messages(t); !slices.Equal(samples, upTo(2, uint64(len(samples)+1))) {
			t.Errorf("it got %v, want no sample left out before the end", samples)
		}
	})
}

// TestLiveViewers: there are 16 at most, and who leaves makes place.
func TestLiveViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(plain())
		defer l.Close()
		var viewers []*watcher
		for range 16 {
			viewers = append(viewers, watch(t, l))
		}
		synctest.Wait()
		w := watch(t, l)
		<-w.ended
		if w.status() != http.StatusServiceUnavailable || w.header.Get("Retry-After") == "" {
			t.Errorf("status %d for the 17th, Retry-After %q; want 503 and a time", w.status(), w.header.Get("Retry-After"))
		}
		viewers[3].cancel()
		<-viewers[3].ended
		w = watch(t, l)
		synctest.Wait()
		if got := w.header.Get("Content-Type"); w.status() != http.StatusOK || got != "text/event-stream" {
			t.Errorf("after one has left: status %d, %q", w.status(), got)
		}
	})
}

// TestLiveClose: all streams end, none begins, and again is nothing.
func TestLiveClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := plain()
		l := metrics.NewLive(source)
		viewers := []*watcher{watch(t, l), watch(t, l)}
		synctest.Wait()
		l.Close()
		for _, w := range viewers {
			<-w.ended
		}
		asked, _ := source.counts()
		w := watch(t, l)
		<-w.ended
		if w.status() != http.StatusServiceUnavailable {
			t.Errorf("a stream after Close: status %d, want 503", w.status())
		}
		l.Close()
		time.Sleep(time.Minute)
		if again, _ := source.counts(); again != asked {
			t.Errorf("asked %d times after Close", again-asked)
		}
		if got := ask(l, "/").Code; got != http.StatusOK {
			t.Errorf("the page after Close: status %d", got)
		}
	})
}
