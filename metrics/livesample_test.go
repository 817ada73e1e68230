package metrics_test

import (
	"encoding/json"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/metrics"
)

// scene is a server of two loops after its first, second, … sample, each field
// with a value of its own.
func scene(asked int) metrics.Stats {
	n := uint64(asked)
	bounds := []float64{1e-6, 1e-5, 1e-4, 1e-3}
	loop := func(i int) metrics.LoopStats {
		var ls metrics.LoopStats
		ls.Loop = i
		ls.Connections = int64(3 + i)
		ls.Accepted, ls.Opened = 20*n, 19*n
		ls.Refused = metrics.RefusedStats{MaxConnections: n, Descriptors: 2 * n, Other: 3 * n}
		ls.Closed = metrics.ClosedStats{
			Peer: n, Local: 2 * n, Idle: 3 * n, Expired: 4 * n, Slow: 5 * n,
			Size: 6 * n, Panic: 7 * n, Stopped: 8 * n, System: 9 * n, Other: 10 * n,
		}
		ls.BytesIn, ls.BytesOut, ls.MessagesIn, ls.MessagesOut = 1000*n, 2000*n, 100*n, 200*n
		ls.InputBytes, ls.OutputBytes = 11, 4096*int64(n)
		ls.Pauses, ls.Paused, ls.RefusedSends, ls.Panics, ls.Stalls = 4*n, 2, 5*n, 6*n, 7*n
		ls.Queued = 9
		ls.Busy, ls.Waited = time.Duration(n*n)*time.Millisecond, time.Duration(n)*time.Second
		ls.Callbacks = metrics.Histogram{Bounds: bounds, Counts: []uint64{0, 90 * n, 0, 10 * n * n, 0}, Sum: 0.01}
		return ls
	}
	st := metrics.Stats{Name: "127.0.0.1:1833", State: metrics.Serving, Open: 7}
	st.Loops = []metrics.LoopStats{loop(0), loop(1)}
	st.Add(&st.Loops[0])
	st.Add(&st.Loops[1])
	return st
}

// TestLiveStream: what the page is sent, to the byte. After a change that is
// meant: go test ./metrics -run TestLiveStream -update
func TestLiveStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &script{stats: scene, connections: func(int) iter.Seq[metrics.ConnectionStats] {
			return slices.Values([]metrics.ConnectionStats{
				connection(1, 3*time.Millisecond, 0, 0), connection(2, 0, 500, 20), connection(3, time.Millisecond, 0, 7), connection(4, 0, 0, 0),
			})
		}}
		l := metrics.NewLive(source)
		defer l.Close()
		time.Sleep(time.Second)
		synctest.Wait()
		w := watch(t, l)
		time.Sleep(2 * time.Second)
		synctest.Wait()

		const file = "testdata/live.txt"
		if *update {
			if err := os.WriteFile(file, []byte(w.text()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if w.text() != string(want) {
			t.Errorf("the stream is\n%s\nwant what %s has:\n%s", w.text(), file, want)
		}
	})
}

// TestLiveBusy: shares are of the last second, not of all time.
func TestLiveBusy(t *testing.T) {
	busy := []time.Duration{0, 900 * time.Millisecond, 900 * time.Millisecond, 1150 * time.Millisecond}
	server := lastServers(t, len(busy), func(asked int) metrics.Stats {
		st := metrics.Stats{Loops: make([]metrics.LoopStats, 1)}
		st.Loops[0].Busy = busy[min(asked, len(busy))-1]
		st.Loops[0].Waited = time.Duration(asked)*time.Second - st.Loops[0].Busy
		return st
	})
	var got []float64
	for _, s := range server {
		got = append(got, s.Loops[0].Busy)
	}
	if want := []float64{0, 0.9, 0, 0.25}; !slices.Equal(got, want) {
		t.Errorf("busy %v, want %v", got, want)
	}
}

// TestLiveCallbacks: so are quantiles, and there is none for a second without a
// callback that was timed.
func TestLiveCallbacks(t *testing.T) {
	counts := [][]uint64{{0, 0, 0}, {100, 0, 0}, {100, 100, 0}, {100, 100, 0}, {100, 100, 5}}
	server := lastServers(t, len(counts), func(asked int) metrics.Stats {
		st := metrics.Stats{Loops: make([]metrics.LoopStats, 1)}
		st.Callbacks = metrics.Histogram{Bounds: []float64{1, 2}, Counts: counts[min(asked, len(counts))-1]}
		return st
	})
	var got []float64
	for _, s := range server {
		got = append(got, s.P50)
	}
	if want := []float64{0, 0.5, 1.5, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("p50 %v, want %v", got, want)
	}
}

// TestLiveNames: two servers of one name stay two.
func TestLiveNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(plain(), plain(), plain())
		defer l.Close()
		synctest.Wait()
		w := watch(t, l)
		synctest.Wait()
		for _, name := range []string{"plain", "plain #2", "plain #3"} {
			if strings.Count(w.text(), strconv.Quote(name)) != 1 {
				t.Errorf("no server %q in %s", name, w.text())
			}
		}
	})
}

type liveServer struct {
	P50   float64 `json:"callback_p50"`
	Loops []struct{ Busy float64 }
}

// lastServers are a server's last n samples.
func lastServers(t *testing.T, n int, stats func(asked int) metrics.Stats) (servers []liveServer) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(&script{stats: stats})
		defer l.Close()
		time.Sleep(time.Duration(n-1) * time.Second)
		synctest.Wait()
		w := watch(t, l)
		synctest.Wait()
		var h struct {
			Samples []struct{ Servers []liveServer }
		}
		data := strings.TrimPrefix(w.text(), "event: history\ndata: ")
		if err := json.Unmarshal([]byte(data), &h); err != nil {
			t.Fatal(err)
		}
		for _, s := range h.Samples {
			servers = append(servers, s.Servers[0])
		}
	})
	if len(servers) != n {
		t.Fatalf("%d samples, want %d", len(servers), n)
	}
	return servers
}
