package websocket_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/go-weir/weir/metrics"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// scrape is what a server's metrics say of WebSockets: the values by name and label,
// and the types by name.
func scrape(t *testing.T, s *server) (values map[string]float64, types map[string]string) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(metrics.NewCollector(s))
	families, err := r.Gather()
	fail(t, err)
	values, types = make(map[string]float64), make(map[string]string)
	for _, f := range families {
		name, ours := strings.CutPrefix(f.GetName(), "weir_websocket_")
		if !ours {
			continue
		}
		types[f.GetName()] = strings.ToLower(f.GetType().String())
		for _, m := range f.GetMetric() {
			key, labels := name, 0
			for _, l := range m.GetLabel() {
				if l.GetName() != "server" {
					key += " " + l.GetValue()
				}
				labels++
			}
			if labels > 2 {
				t.Errorf("%s has %d labels", f.GetName(), labels)
			}
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values, types
}

// TestMetrics: what a server does is in its metrics, and peers can't make them grow.
func TestMetrics(t *testing.T) {
	s := start(t, commands(), websocket.MaxTopics(1), websocket.MessageLimit(100))
	stays := dial(t, s, nil)
	say(t, stays, "+t", "t")
	say(t, stays, "+u", "refused: "+websocket.ErrTooManyTopics.Error())
	fail(t, s.protocol.Hub().Publish("t", codec.Text, []byte("x")))
	expect(t, stays, codec.Text, "x")
	for _, bye := range []string{
		wireClose(1000, ""), wireClose(3000, ""), wireClose(3001, ""), wireClose(4999, ""), wireClose(4000, ""), wireClose(codec.NoStatus, ""),
		wire(codec.Text, 0, strings.Repeat("x", 101)),
	} {
		c := upgraded(t, s)
		send(t, c, bye)
		c.frames(t)
		receive(t, s.ended)
	}
	c := connect(t, s)
	send(t, c, good("Origin: https://evil.example")+"\r\n")
	c.reply(t)
	want := map[string]float64{
		"connections": 1, "topics": 1, "upgrades_total": 8, "received_messages_total": 2, "sent_messages_total": 3,
		"published_total": 1, "delivered_total": 1, "dropped_total": 0, "limits_total topics": 1, "limits_total message": 1,
		"closed_total 1000": 1, "closed_total 3xxx": 2, "closed_total 4xxx": 2, "closed_total 1005": 1, "closed_total 1009": 1,
		"refused_total forbidden": 1, "refused_total plain": 0,
	}
	var wrong string
	defer func() {
		if wrong != "" {
			t.Log("not as expected: " + wrong)
		}
	}()
	eventually(t, "the metrics", func() bool {
		values, _ := scrape(t, s)
		wrong = ""
		for key, n := range want {
			if got, ok := values[key]; !ok || got != n {
				wrong = key
			}
		}
		return wrong == ""
	})
}

// TestDocumentedMetrics: docs/metrics.md has one line for each metric, with its type,
// and for no other.
func TestDocumentedMetrics(t *testing.T) {
	s := start(t, &handler{})
	c := upgraded(t, s)
	send(t, c, wireClose(1000, "")) // so that there is a code
	c.frames(t)
	receive(t, s.ended)
	eventually(t, "the count", func() bool { return s.protocol.Stats().Closed[1000] == 1 })
	_, types := scrape(t, s)
	page, err := os.ReadFile("../../docs/metrics.md")
	fail(t, err)
	described := make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `(weir_websocket_[a-z_]+)` \\| (\\w+)").FindAllStringSubmatch(string(page), -1) {
		if described[m[1]] != "" || types[m[1]] != m[2] {
			t.Errorf("%s: a second line, or no %s", m[1], m[2])
		}
		described[m[1]] = m[2]
	}
	for name, kind := range types {
		if described[name] != kind {
			t.Errorf("the page doesn't say of %s that it is a %s", name, kind)
		}
	}
}
