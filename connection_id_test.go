package weir_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/go-weir/weir"
)

// TestStaleID: an ID finds its connection from OnConnect until OnClose, and
// never the one that comes after it.
func TestStaleID(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*weir.Connection)
	}{
		{"Close", func(c *weir.Connection) { _ = c.Close() }},
		{"panic", func(c *weir.Connection) { _ = c.Execute(func() { panic("on purpose") }) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			type sight struct{ conn, found *weir.Connection }
			connected, ended := make(chan sight, 1), make(chan sight, 1)
			var s *weir.Server
			s = newServer(t, &handler{
				connect: func(c *weir.Connection) { connected <- sight{c, s.Connection(c.ID())} },
				close:   func(c *weir.Connection) { ended <- sight{c, s.Connection(c.ID())} },
			}, quiet())
			serve(t, s)
			dial(t, s)
			first := receive(t, connected)
			id := first.conn.ID()
			if first.found != first.conn || s.Connection(id) != first.conn {
				t.Errorf("%v finds %p in OnConnect and %p now, want %p", id, first.found, s.Connection(id), first.conn)
			}
			tt.end(first.conn)
			if last := receive(t, ended); last.found != nil {
				t.Errorf("%v finds a connection in its OnClose", id)
			}
			dial(t, s)
			second := receive(t, connected).conn
			if second.ID() == id || second.ID()>>32 != id>>32 {
				t.Fatalf("the second ID is %v, the first was %v: not another one in the same slot", second.ID(), id)
			}
			if s.Connection(id) != nil || s.Connection(second.ID()) != second {
				t.Errorf("%v finds %p and %v finds %p, want nil and %p",
					id, s.Connection(id), second.ID(), s.Connection(second.ID()), second)
			}
			if first.conn.ID() != id {
				t.Errorf("the ID has become %v, was %v", first.conn.ID(), id)
			}
		})
	}
}

// TestForeignID: IDs that were never given out find nothing.
func TestForeignID(t *testing.T) {
	connected := make(chan *weir.Connection, 1)
	s := start(t, &handler{connect: func(c *weir.Connection) { connected <- c }})
	dial(t, s)
	id := receive(t, connected).ID()
	for _, other := range []weir.ConnID{
		0,
		1, // the listener is the loop's first registration
		id + 1,
		id - 1,
		id + 1<<32,    // the next slot
		id + 5000<<32, // a slot that the table doesn't have
		id | (1<<22-1)<<32,
		id + 1<<54, // the next loop
		id | 1023<<54,
		math.MaxUint64,
	} {
		if c := s.Connection(other); c != nil {
			t.Errorf("%v finds %v", other, c.ID())
		}
	}
}

func TestConnIDText(t *testing.T) {
	for _, id := range []weir.ConnID{0, 1, 0x00400001_0000000f, math.MaxUint64} {
		text, err := id.MarshalText()
		if err != nil || string(text) != id.String() || len(text) != 16 {
			t.Errorf("%v: MarshalText returns %q, %v", id, text, err)
		}
		if appended, err := id.AppendText([]byte("id=")); err != nil || string(appended) != "id="+id.String() {
			t.Errorf("%v: AppendText returns %q, %v", id, appended, err)
		}
		var back weir.ConnID
		if err := back.UnmarshalText(text); err != nil || back != id {
			t.Errorf("%q is read as %v, %v", text, back, err)
		}
		names := map[weir.ConnID]string{id: "name"}
		object, err := json.Marshal(names)
		if want := `{"` + id.String() + `":"name"}`; err != nil || string(object) != want {
			t.Errorf("JSON is %s, %v; want %s", object, err, want)
		}
		var read map[weir.ConnID]string
		if err := json.Unmarshal(object, &read); err != nil || read[id] != "name" {
			t.Errorf("%s is read as %v, %v", object, read, err)
		}
	}
	for _, text := range []string{
		"", "0", "000000000000000", "00000000000000000", "000000000000000g", "+00000000000001f",
		"-000000000000001", "0x0000000000001f", "0_00000000000001", " 00000000000001f", "00000000000001f\n",
	} {
		id := weir.ConnID(42)
		if err := id.UnmarshalText([]byte(text)); err == nil || id != 42 {
			t.Errorf("%q is read as %v, %v", text, id, err)
		}
	}
}

// FuzzConnIDText: what is read as an ID is written as it was read.
func FuzzConnIDText(f *testing.F) {
	f.Add([]byte("004000010000000f"))
	f.Add([]byte("FFFFFFFFFFFFFFFF"))
	f.Add([]byte("-00000000000001"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var id weir.ConnID
		if id.UnmarshalText(text) != nil {
			return
		}
		if back := id.String(); back != strings.ToLower(string(text)) {
			t.Errorf("%q is read as %s", text, back)
		}
	})
}

// TestConnections: the iterator sees every connection once, and ends when it
// is told to.
func TestConnections(t *testing.T) {
	const count = 600 // on each of two loops more than a page of its table
	s := start(t, &handler{}, weir.NumLoops(2))
	want := make(map[string]bool)
	for range count {
		want[dial(t, s).LocalAddr().String()] = true
	}
	eventually(t, "all are open", func() bool { return s.Stats().Opened == count })
	ids := make(map[weir.ConnID]bool)
	for c := range s.Connections() {
		ids[c.ID()] = true
		if !want[c.PeerAddr()] {
			t.Errorf("%v is not there, or twice", c.PeerAddr())
		}
		delete(want, c.PeerAddr())
		if s.Connection(c.ID()) != c {
			t.Errorf("%v does not find its connection", c.ID())
		}
	}
	if len(want) != 0 || len(ids) != count {
		t.Errorf("%d connections were missed, %d IDs", len(want), len(ids))
	}
	for _, after := range []int{1, 2, count/2 + 1} {
		n := 0
		for range s.Connections() {
			if n++; n == after {
				break
			}
		}
		if n != after {
			t.Errorf("broke off after %d connections, want %d", n, after)
		}
	}
	for c := range s.Connections() {
		if err := c.Close(); err != nil { // while the iterator is at it
			t.Error(err)
		}
	}
	eventually(t, "all are closed", func() bool { return s.Stats().Open == 0 })
	for c := range s.Connections() {
		t.Errorf("%v is still there", c.ID())
	}
}

// TestConnectionsBeforeOnConnect: a connection is shown to others when its OnConnect has
// returned, and found by whoever was given its ID in it.
func TestConnectionsBeforeOnConnect(t *testing.T) {
	begun, proceed := make(chan *weir.Connection), make(chan struct{})
	s := start(t, &handler{connect: func(c *weir.Connection) {
		begun <- c
		<-proceed
		c.Set("greeted", true)
	}})
	for name, end := range map[string]func(c *weir.Connection){
		"open":   func(*weir.Connection) {},
		"closed": func(c *weir.Connection) { fail(t, c.Close()) },
	} {
		peer := dial(t, s)
		c := receive(t, begun)
		if s.Connection(c.ID()) != c {
			t.Errorf("%s: its ID finds nothing", name)
		}
		for range s.ConnectionStats() {
			t.Errorf("%s: it is shown before OnConnect has returned", name)
		}
		end(c)
		proceed <- struct{}{}
		if name == "open" {
			eventually(t, "it is shown", func() bool {
				for shown := range s.Connections() {
					if _, greeted := shown.Get("greeted"); shown != c || !greeted {
						t.Errorf("%v is shown, OnConnect has returned %v", shown.ID(), greeted)
					}
					return true
				}
				return false
			})
		}
		reset(t, peer)
		eventually(t, "it has ended", func() bool { return c.Err() != nil })
	}
}
