package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-weir/weir/plugins/resp"
)

// TestMSetAtomic: nobody sees a part of an MSET, or of a DEL, whatever shards its
// keys are in.
func TestMSetAtomic(t *testing.T) {
	addr := start(t, "")
	const rounds = 300
	var keys []string
	for i := range 8 {
		keys = append(keys, fmt.Sprintf("key:%d", i))
	}
	var running sync.WaitGroup
	for _, order := range [][]string{keys, reversed(keys)} {
		p := dial(t, addr)
		running.Go(func() {
			for i := range rounds {
				line := "MSET"
				for _, key := range order {
					line += fmt.Sprintf(" %s %d", key, i)
				}
				p.send(line)
				if i%10 == 0 {
					p.send("DEL " + strings.Join(order, " "))
				}
			}
			for range rounds + rounds/10 {
				p.read()
			}
		})
	}
	p := dial(t, addr)
	for range rounds {
		values := strings.Fields(strings.Trim(p.do("MGET "+strings.Join(keys, " ")), "[]"))
		if distinct := slices.Compact(slices.Clone(values)); len(distinct) != 1 {
			t.Fatalf("read %v", values)
		}
	}
	running.Wait()
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// TestScan: a key that is there all the time is found once, while others come and
// go.
func TestScan(t *testing.T) {
	addr := start(t, "")
	p, other := dial(t, addr), dial(t, addr)
	const keys = 3000
	for i := range keys {
		p.send(fmt.Sprintf("SET key:%d x", i))
	}
	for range keys {
		p.read()
	}
	found := make(map[string]int)
	calls := 0
	for cursor := "0"; calls == 0 || cursor != "0"; calls++ {
		p.send("SCAN " + cursor + " COUNT 50 MATCH key:*")
		reply := strings.Fields(strings.Trim(p.read(), "[]"))
		cursor, _ = strconv.Unquote(reply[0])
		for _, key := range reply[1:] {
			found[strings.Trim(key, `[]"`)]++
		}
		other.do(fmt.Sprintf("SET more:%d x", calls))
		other.do(fmt.Sprintf("DEL more:%d", calls-3))
	}
	for i := range keys {
		if n := found[fmt.Sprintf("key:%d", i)]; n != 1 {
			t.Fatalf("key:%d was found %d times", i, n)
		}
	}
	if calls < 10 || calls > 3*keys/50 {
		t.Errorf("%d calls for %d keys", calls, keys)
	}
}

// TestExpiry: what has expired is gone, for every command.
func TestExpiry(t *testing.T) {
	p := dial(t, start(t, ""))
	for _, command := range []struct{ line, reply string }{
		{"GET a", "nil"},
		{"TTL a", ":-2"},
		{"STRLEN a", ":0"},
		{"EXISTS a", ":0"},
		{"DEL a", ":0"},
		{"EXPIRE a 10", ":0"},
		{"MGET a", "[nil]"},
		{"KEYS *", "[]"},
		{"SCAN 0 COUNT 10000", `["0" []]`},
		{"INCR a", ":1"},
		{"APPEND a x", ":1"},
		{"SET a x XX", "nil"},
		{"SET a x NX", "+OK"},
		{"SET a x GET", "nil"},
	} {
		p.expect("SET a 7 PXAT 1000", "+OK") // a time long ago
		p.expect(command.line, command.reply)
		p.do("FLUSHALL")
	}
	p.expect("SET a 7 PXAT 1000", "+OK")
	p.expect("INCR a", ":1")
	p.expect("TTL a", ":-1") // the old time doesn't count any more
}

// TestSweep: and nobody has to ask.
func TestSweep(t *testing.T) {
	s := newStore()
	const keys = 5000
	for i := range keys {
		key := fmt.Append(nil, "key:", i)
		sh := s.lock(key)
		sh.expireAt(key, sh.add(key), 1+int64(i%2)*1e15) // every other one, long ago
		sh.mu.Unlock()
	}
	if n := s.len(); n != keys {
		t.Fatalf("%d keys", n)
	}
	for range 1000 { // each run does what it has the time for
		if s.sweep(); s.len() == keys/2 {
			return
		}
	}
	t.Errorf("%d keys are left, want %d", s.len(), keys/2)
}

func TestSweepRuns(t *testing.T) {
	p := dial(t, start(t, ""))
	p.expect("SET a 7 PX 1", "+OK")
	for p.do("DBSIZE") != ":0" { // until the deadline of p
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"**a*", "xya", true},
		{"a*b*c", "axxbxxbc", true},
		{"a*b*c", "axxbxxbcd", false},
		{"?", "", false},
		{"?", "a", true},
		{"a?c", "abc", true},
		{"[ab]c", "bc", true},
		{"[ab]c", "cc", false},
		{"[^ab]c", "cc", true},
		{"[^ab]c", "ac", false},
		{"[a-c]", "b", true},
		{"[c-a]", "b", true},
		{"[a-c]", "d", false},
		{"[a-]", "^", true}, // what is between a and ]
		{`[\]a]`, "]", true},
		{`[\^a]`, "^", true},
		{"[ab", "b", true},
		{"[ab", "c", false},
		{"[", "[", false},
		{"[^", "a", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{`a\`, `a\`, true},
		{"A", "a", false},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 5000), false}, // without an end, if done naively
	} {
		if got := match(tt.pattern, tt.s); got != tt.want {
			t.Errorf("match(%.20q, %.20q) = %t", tt.pattern, tt.s, got)
		}
	}
}

// TestLongReply: a reply that would be longer than the limit is refused before it is
// made, and the others go on.
func TestLongReply(t *testing.T) {
	s := &server{commands: newCommands(), store: newStore(), hub: newHub()}
	cl := &client{version: resp.V2, trusted: true}
	serve := func(args ...string) string {
		var list [][]byte
		for _, arg := range args {
			list = append(list, []byte(arg))
		}
		reply := s.serve(cl, list, nil)
		return string(reply[:min(len(reply), 60)])
	}
	const values, refused = maxReply >> 20, "-ERR reply exceeds the maximum size\r\n"
	long := strings.Repeat("x", 1<<20)
	serve("SET", "a", long)
	get := append([]string{"MGET"}, slices.Repeat([]string{"a"}, values)...)
	if got := serve(get...); !strings.HasPrefix(got, "*128\r\n$1048576\r\n") {
		t.Errorf("MGET at the limit: %q", got)
	}
	if got := serve(append(get, "a")...); got != refused {
		t.Errorf("MGET over the limit: %q", got)
	}
	for i := range values {
		serve("SET", fmt.Sprint(i)+long, "")
	}
	for _, command := range []string{"KEYS *", "SCAN 0 COUNT 1000000"} {
		if got := serve(strings.Fields(command)...); got != refused {
			t.Errorf("%s: %q", command, got)
		}
	}
	if got := serve("KEYS", "a"); got != "*1\r\n$1\r\na\r\n" {
		t.Errorf("KEYS a: %q", got)
	}
}
