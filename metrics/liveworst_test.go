package metrics_test

import (
	"encoding/json"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/metrics"
)

type liveTables struct {
	Servers []struct {
		Slowest []struct {
			ID  string
			Max float64 `json:"callback_max"`
		}
		Fattest []struct{ Output, Input int64 }
	}
}

// lastTables are those of the last sample that came.
func (w *watcher) lastTables(t *testing.T) liveTables {
	t.Helper()
	text := w.text()
	var tables liveTables
	if err := json.Unmarshal([]byte(text[strings.LastIndex(text, "data: ")+len("data: "):]), &tables); err != nil {
		t.Fatal(err)
	}
	return tables
}

// TestLiveWorst: the tables have the ten worst of all connections, in order, and
// nobody of whom there is nothing to tell.
func TestLiveWorst(t *testing.T) {
	const n = 1000
	order := rand.Perm(n)
	source := plain()
	source.connections = func(int) iter.Seq[metrics.ConnectionStats] {
		return func(yield func(metrics.ConnectionStats) bool) {
			for _, i := range order {
				c := connection(i, time.Duration(i)*time.Microsecond, 0, 0)
				if i < 4 {
					c = connection(i, 0, int64(i)*10, int64(i))
				}
				if !yield(c) {
					return
				}
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		l := metrics.NewLive(source)
		defer l.Close()
		synctest.Wait()
		w := watch(t, l)
		time.Sleep(time.Second)
		synctest.Wait()
		server := w.lastTables(t).Servers[0]
		var slowest []float64
		for _, c := range server.Slowest {
			slowest = append(slowest, c.Max*1e6)
		}
		if len(slowest) != 10 || !slices.IsSortedFunc(slowest, func(a, b float64) int { return int(b - a) }) || int(slowest[0]+0.5) != 999 || int(slowest[9]+0.5) != 990 {
			t.Errorf("the slowest took %v µs, want 999 down to 990", slowest)
		}
		if want := "00000000000003e7"; server.Slowest[0].ID != want {
			t.Errorf("the slowest is %s, want %s", server.Slowest[0].ID, want)
		}
		var fattest []int64
		for _, c := range server.Fattest {
			fattest = append(fattest, c.Output+c.Input)
		}
		if want := []int64{33, 22, 11}; !slices.Equal(fattest, want) {
			t.Errorf("the fattest hold %v bytes, want %v", fattest, want)
		}
	})
}

// TestLiveLongWalk: where it takes long to look at all connections, that is done
// for a fiftieth of the time at most.
func TestLiveLongWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := plain()
		source.connections = func(walked int) iter.Seq[metrics.ConnectionStats] {
			return func(yield func(metrics.ConnectionStats) bool) {
				time.Sleep(99 * time.Millisecond)
				yield(connection(walked, time.Second, 0, 0))
			}
		}
		l := metrics.NewLive(source)
		defer l.Close()
		synctest.Wait()
		w := watch(t, l)
		time.Sleep(14500 * time.Millisecond)
		synctest.Wait()
		if _, walked := source.counts(); walked != 3 { // at 1, 6 and 11 s
			t.Errorf("walked %d times in 14 s, want 3", walked)
		}
		if slowest := w.lastTables(t).Servers[0].Slowest; len(slowest) != 1 || slowest[0].ID != "0000000000000003" {
			t.Errorf("the last sample has %v, want what the last walk found", slowest)
		}
	})
}
