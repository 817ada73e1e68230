package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

func TestTalk(t *testing.T) {
	s := start(t, testLimits())
	ada, welcome := enter(t, s, "Lobby", "  Ada\tLovelace ")
	if welcome.Room != "lobby" || welcome.Name != "Ada Lovelace" || welcome.Here != 1 || len(welcome.History) != 0 {
		t.Errorf("entered %+v", welcome)
	}
	ben, _ := enter(t, s, "lobby", "Ben")
	eve, _ := enter(t, s, "cellar", "Eve")
	for _, text := range []string{"hello", `<b>"&`, "two\nlines", "שלום"} {
		ada.say(text)
		for _, p := range []*person{ada, ben} {
			if m := p.hear("say"); m.Text != text || m.From != "Ada Lovelace" || m.N == 0 {
				t.Errorf("heard %+v, want %q", m, text)
			}
		}
	}
	eve.say("alone")
	if m := eve.hear("say"); m.Text != "alone" {
		t.Errorf("heard %+v from another room", m)
	}
}

func TestNames(t *testing.T) {
	s := start(t, testLimits())
	for _, c := range []struct{ wanted, got string }{
		{"Ada", "Ada"},
		{"ada", "ada 2"},
		{"ADA", "ADA 3"},
		{"Kunigunde the Twenty-4th", "Kunigunde the Twenty-4th"},
		{"Kunigunde the Twenty-4th", "Kunigunde the Twenty-4 2"},
	} {
		if _, m := enter(t, s, "lobby", c.wanted); m.Name != c.got {
			t.Errorf("%q is called %q, want %q", c.wanted, m.Name, c.got)
		}
	}
}

// TestCrowdOfOneName: a name that all want takes nobody long.
func TestCrowdOfOneName(t *testing.T) {
	r := newRoom("r")
	seen := make(map[string]bool)
	for range 20000 {
		name := r.enter(&client{}, "Ada", 24)
		if seen[name] {
			t.Fatalf("%q twice", name)
		}
		seen[name] = true
	}
}

func TestHistory(t *testing.T) {
	s := start(t, testLimits())
	most := s.chat.limits.history
	r := newRoom("lobby")
	for i := range most + 20 {
		r.remember(encode(said{T: "say", N: uint64(i + 1), From: "Ada", Text: fmt.Sprint(i)}), most)
	}
	s.chat.mu.Lock()
	s.chat.said = uint64(most + 20)
	s.chat.rooms["lobby"] = r
	s.chat.mu.Unlock()

	ben, welcome := enter(t, s, "lobby", "Ben")
	if n := len(welcome.History); n != most {
		t.Fatalf("%d messages are remembered, want %d", n, most)
	}
	for i, m := range welcome.History {
		if m.T != "say" || m.Text != fmt.Sprint(i+20) || m.From != "Ada" {
			t.Fatalf("message %d is %+v", i, m)
		}
	}
	ben.say("late")
	if m := ben.hear("say"); m.N != uint64(most+21) {
		t.Errorf("number %d behind %d", m.N, most+20)
	}
	_, welcome = enter(t, s, "lobby", "Eve")
	if m := welcome.History[most-1]; m.Text != "late" {
		t.Errorf("the last one is %+v", m)
	}
}

func TestPresence(t *testing.T) {
	s := start(t, testLimits())
	ada, _ := enter(t, s, "lobby", "Ada")
	ben, welcome := enter(t, s, "lobby", "Ben")
	if welcome.Here != 2 || !slices.Equal(welcome.Names, []string{"Ada", "Ben"}) {
		t.Errorf("Ben sees %d: %q", welcome.Here, welcome.Names)
	}
	ada.until(func(m message) bool { return m.Here == 2 && slices.Contains(m.Joined, "Ben") })
	_ = ben.conn.Close(websocket.NormalClosure, "") // it is open
	m := ada.until(func(m message) bool { return slices.Contains(m.Left, "Ben") })
	if m.Here != 1 || m.Leaves != 1 || !slices.Equal(m.Names, []string{"Ada"}) {
		t.Errorf("after Ben: %+v", m)
	}
}

// until waits for news of who is there.
func (p *person) until(what func(message) bool) message {
	p.t.Helper()
	for {
		if m := p.hear("here"); what(m) {
			return m
		}
	}
}

// TestNews: many who come and go are few messages, with some of their names.
func TestNews(t *testing.T) {
	r := newRoom("r")
	var all []*client
	for i := range 2000 {
		c := &client{name: fmt.Sprint("p", i)}
		c.name = r.enter(c, c.name, 24)
		all = append(all, c)
	}
	told := 0
	var news []byte
	for range crowdWait {
		if b := r.news(); b != nil {
			told++
			news = b
		}
	}
	if told != 1 || len(news) > 2000 || !strings.Contains(string(news), `"here":2000,`) || !strings.Contains(string(news), `"joins":2000,`) {
		t.Errorf("told %d times, the last time %s", told, news)
	}
	if r.news() != nil {
		t.Error("news of nothing")
	}
	back := all[7]
	r.leave(back, time.Now())
	r.enter(back, back.name, 24)
	for range crowdWait {
		if b := r.news(); b != nil {
			t.Errorf("who was away for a moment is news: %s", b)
		}
	}
}

func TestMove(t *testing.T) {
	s := start(t, testLimits())
	ada, _ := enter(t, s, "lobby", "Ada")
	ben, _ := enter(t, s, "lobby", "Ben")
	ada.until(func(m message) bool { return m.Here == 2 })
	ben.ask(request{T: askJoin, Room: "cellar", Name: "Ben"})
	if m := ben.hear("room"); m.Room != "cellar" || m.Here != 1 {
		t.Errorf("moved to %+v", m)
	}
	ada.until(func(m message) bool { return m.Here == 1 && slices.Contains(m.Left, "Ben") })
	ada.say("only here")
	ada.hear("say")
	ben.say("down here")
	if m := ben.hear("say"); m.Text != "down here" {
		t.Errorf("heard %+v from the room before", m)
	}
}

func TestWatch(t *testing.T) {
	s := start(t, testLimits())
	ada, _ := enter(t, s, "lobby", "Ada")
	enter(t, s, "cellar", "Ben")
	enter(t, s, "cellar", "Eve")
	ada.ask(request{T: askWatch})
	for {
		m := ada.hear("stats")
		if m.Online == 3 && m.Total == 2 {
			if want := []roomCount{{"cellar", 2}, {"lobby", 1}}; !slices.Equal(m.Rooms, want) {
				t.Errorf("rooms %v, want %v", m.Rooms, want)
			}
			return
		}
	}
}

// TestRoomsEnd: an empty room is forgotten after a while, and before that if there are
// many and somebody comes with another. One with somebody in it stays, and keeps nobody
// from a room of his own.
func TestRoomsEnd(t *testing.T) {
	l := testLimits()
	l.rooms = 2
	l.emptyFor = time.Hour
	s := start(t, l)
	ada, _ := enter(t, s, "one", "Ada")
	enter(t, s, "two", "Ben")
	eve, _ := enter(t, s, "three", "Eve")
	move := func(room string) message {
		t.Helper()
		ada.ask(request{T: askJoin, Room: room, Name: "Ada"})
		return ada.hear("room")
	}
	ada.say("remember me")
	ada.hear("say")
	move("two")
	if m := move("one"); len(m.History) != 1 {
		t.Errorf("%d messages are remembered in a room that was empty for a moment", len(m.History))
	}
	move("two")
	move("four")
	eve.say("still here")
	eve.hear("say")
	s.chat.mu.Lock()
	defer s.chat.mu.Unlock()
	if len(s.chat.rooms) != 3 || s.chat.rooms["one"] != nil {
		t.Errorf("rooms: %v", s.chat.rooms)
	}
}

// TestBusy: what can't be published is not remembered, and its author is told.
func TestBusy(t *testing.T) {
	l := testLimits()
	l.publish = 1
	s := start(t, l)
	ada, _ := enter(t, s, "lobby", "Ada")
	for range 8 { // as often as one may say something
		ada.say("hello")
		ada.refused("busy")
	}
	if _, m := enter(t, s, "lobby", "Ben"); len(m.History) != 0 {
		t.Errorf("%d messages are remembered", len(m.History))
	}
}

// TestManyRooms: the histories of all rooms together are no longer than there is memory
// for, however many rooms there are.
func TestManyRooms(t *testing.T) {
	l := testLimits()
	l.rooms, l.history = 4, 10
	h := newChat(l)
	now := time.Now()
	for i := range 12 {
		r := newRoom(fmt.Sprint(i))
		h.rooms[r.name] = r
		r.enter(&client{}, "Ada", l.name)
		for range 2 * l.history {
			r.remember(encode(said{T: "say"}), h.remembered())
		}
		if n, want := len(r.history), min(l.history, l.history*l.rooms/len(h.rooms)); n != want {
			t.Errorf("room %d of %d remembers %d messages, want %d", i, len(h.rooms), n, want)
		}
	}
	tick := func() (all int) {
		h.protocol = websocket.New(nil)
		h.tick()
		for _, r := range h.rooms {
			all += len(r.history)
		}
		return all
	}
	if n := tick(); n > l.history*l.rooms {
		t.Errorf("%d messages are remembered", n)
	}
	for _, r := range h.rooms { // all leave, and their rooms may be forgotten
		if !r.leave(r.members[0], now) {
			t.Error("not empty")
		}
		h.empty = append(h.empty, vacancy{r, now})
	}
	for len(h.rooms) > 1 {
		h.forget()
	}
	if h.remembered() != l.history {
		t.Errorf("one room may remember %d", h.remembered())
	}
}

func TestEmptyFor(t *testing.T) {
	h := newChat(testLimits())
	now := time.Now()
	old := now.Add(-h.limits.emptyFor)
	for name, empty := range map[string]time.Time{"old": old, "new": now, "used": {}, "again": now} {
		h.rooms[name] = &room{name: name, empty: empty}
	}
	h.empty = []vacancy{
		{h.rooms["used"], old},
		{h.rooms["again"], old},
		{&room{name: "new", empty: old}, old}, // which was forgotten
		{h.rooms["old"], old},
		{h.rooms["new"], now},
		{h.rooms["again"], now},
	}
	h.tick()
	if len(h.rooms) != 3 || h.rooms["old"] != nil || len(h.empty) != 2 {
		t.Errorf("left: %v", h.rooms)
	}
}

func TestShutdown(t *testing.T) {
	s := start(t, testLimits())
	ada, _ := enter(t, s, "lobby", "Ada")
	silent := connect(t, s)
	go s.end() // which waits for the answers
	for _, p := range []*person{ada, silent} {
		if e := p.closed(); e.Code != websocket.GoingAway || e.Reason == "" {
			t.Errorf("closed with %v", &e)
		}
	}
}

func TestRefused(t *testing.T) {
	long := strings.Repeat("ä", 501)
	for name, c := range map[string]struct{ send, code string }{
		"no JSON":        {"hello", "form"},
		"another type":   {`{"t":"say","text":7}`, "form"},
		"no t":           {`{}`, "form"},
		"unknown t":      {`{"t":"shout","text":"a"}`, "form"},
		"an array":       {`[]`, "form"},
		"two":            {`{"t":"say","text":"a"}{}`, "form"},
		"no name":        {`{"t":"join","room":"a","name":" "}`, "name"},
		"long name":      {`{"t":"join","room":"a","name":"` + long[:50] + `"}`, "name"},
		"control name":   {`{"t":"join","room":"a","name":"a\u0007b"}`, "name"},
		"invisible name": {`{"t":"join","room":"a","name":"a\u202eb"}`, "name"},
		"no room":        {`{"t":"join","name":"a"}`, "room"},
		"long room":      {`{"t":"join","room":"` + long[:66] + `","name":"a"}`, "room"},
		"blank in room":  {`{"t":"join","room":"a b","name":"a"}`, "room"},
		"no text":        {`{"t":"say","text":"\n "}`, "text"},
		"long text":      {`{"t":"say","text":"` + long + `"}`, "text"},
		"control text":   {`{"t":"say","text":"a\u0000b"}`, "text"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, testLimits())
			p, _ := enter(t, s, "lobby", "Ada")
			p.send(websocket.Text, c.send)
			p.refused(c.code)
			p.say("still here")
			if m := p.hear("say"); m.Text != "still here" {
				t.Errorf("heard %+v", m)
			}
		})
	}
	t.Run("before join", func(t *testing.T) {
		p := connect(t, start(t, testLimits()))
		p.say("hello")
		p.refused("join")
	})
}

func TestSentAway(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(p *person)
		code websocket.Code
	}{
		"binary": {func(p *person) { p.send(websocket.Binary, "hello") }, codec.UnsupportedData},
		"long":   {func(p *person) { p.send(websocket.Text, strings.Repeat("a", 9<<10)) }, codec.MessageTooBig},
		"flood": {func(p *person) {
			for range 100 {
				if p.conn.Write(websocket.Text, encode(request{T: askSay, Text: "a"})) != nil {
					return // sent away already
				}
			}
		}, codec.PolicyViolation},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, testLimits())
			ada, _ := enter(t, s, "lobby", "Ada")
			ben, _ := enter(t, s, "lobby", "Ben")
			c.do(ada)
			if e := ada.closed(); e.Code != c.code {
				t.Errorf("closed with %v, want %d", &e, c.code)
			}
			ben.until(func(m message) bool { return slices.Equal(m.Names, []string{"Ben"}) })
		})
	}
}

func TestCredit(t *testing.T) {
	now := time.Now()
	var c credit
	for i := range 10 {
		if left := c.spend(1, now); left != float64(9-i) {
			t.Fatalf("message %d leaves %v", i, left)
		}
	}
	if left := c.spend(1, now); left != -1 {
		t.Errorf("one more leaves %v", left)
	}
	if left := c.spend(1, now.Add(time.Second)); left != 3 {
		t.Errorf("a second later: %v", left)
	}
	if left := c.spend(1, now.Add(time.Hour)); left != 9 {
		t.Errorf("an hour later: %v", left)
	}
}
