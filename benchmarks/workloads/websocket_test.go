package workloads

import (
	"bytes"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

func TestWebSocketCases(t *testing.T) {
	for _, tt := range []struct {
		name   string
		params Params
		want   []string
	}{
		{"default", Params{}, []string{"100 × 125 B", "100 × 125 B, pipeline 16", "100 × 16 KiB"}},
		{"quick", Params{Quick: true}, []string{"100 × 125 B", "100 × 125 B, pipeline 16"}},
		{
			"asked",
			Params{Sizes: []int{9, 4096}, Pipelines: []int{2}, Conns: []int{7}},
			[]string{"7 × 9 B, pipeline 2", "7 × 4 KiB, pipeline 2"},
		},
	} {
		w := websocket()
		tt.params.Duration = time.Second
		cases := w.Cases(tt.params)
		if len(cases) != len(tt.want) {
			t.Errorf("%s: %d cases, want %d", tt.name, len(cases), len(tt.want))
			continue
		}
		for i, c := range cases {
			if c.Name != tt.want[i] {
				t.Errorf("%s: %q, want %q", tt.name, c.Name, tt.want[i])
			}
		}
	}
}

// TestRaw is about what the floor gets: the payloads of the others.
func TestRaw(t *testing.T) {
	p := Params{Duration: time.Second}
	for _, c := range append(websocket().Cases(p), broadcast().Cases(p)...) {
		if len(c.Raw.Reply) != c.Size || !bytes.Equal(load.Frame(c.Raw.Reply), c.Load.Exchange.Reply) {
			t.Errorf("%s: the floor answers %d bytes, the others %d", c.Name, len(c.Raw.Reply), len(c.Load.Exchange.Reply))
		}
		if !bytes.Equal(load.MaskedFrame(c.Raw.Request), c.Load.Exchange.Request) {
			t.Errorf("%s: the floor is asked something else than the others", c.Name)
		}
	}
}

func TestRoleIn(t *testing.T) {
	w := idle()
	roles := make(map[servers.Role]int)
	for _, c := range w.Cases(Params{Duration: time.Second}) {
		roles[w.RoleIn(&c)]++
	}
	if roles[servers.Echo] != 2 || roles[servers.WebSocket] != 1 {
		t.Errorf("the roles in idle are %v", roles)
	}
}
