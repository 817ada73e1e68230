package resp_test

import (
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/resp"
)

// Names of all lengths, and some that differ in one place only.
func tableNames() map[string]int {
	names := make(map[string]int)
	for n := 1; n <= 40; n++ {
		name := strings.Repeat("abcdefgh-2", 4)[:n]
		names[name] = len(names)
		for i := range name {
			names[name[:i]+"Z"+name[i+1:]] = len(names)
		}
	}
	return names
}

func TestTable(t *testing.T) {
	names := tableNames()
	table := resp.NewTable(names)
	for name, want := range names {
		for _, written := range []string{name, strings.ToUpper(name), strings.ToLower(name), strings.ToUpper(name[:1]) + name[1:]} {
			if got, ok := table.Find([]byte(written)); !ok || got != want {
				t.Fatalf("%q: %d, %t; want %d", written, got, ok, want)
			}
		}
	}
	// Only letters have two cases, and only those of ASCII.
	for _, name := range []string{"", "b", "\x01", "A\xE0", "abcdefgh\r2", "abcdefgh-\x12", "abcdefgH-3", strings.Repeat("a", 100)} {
		if got, ok := table.Find([]byte(name)); ok {
			t.Errorf("%q: %d, want none", name, got)
		}
	}
}

func TestTableEmpty(t *testing.T) {
	if _, ok := resp.NewTable[string](nil).Find([]byte("get")); ok {
		t.Error("found in an empty table")
	}
}

// FuzzTable compares with the names in small letters.
func FuzzTable(f *testing.F) {
	names := tableNames()
	table := resp.NewTable(names)
	small := make(map[string]int)
	for name, value := range names {
		small[asciiLower(name)] = value
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, ok := table.Find([]byte(name))
		if want, wantOK := small[asciiLower(name)]; ok != wantOK || got != want {
			t.Errorf("%q: %d, %t; want %d, %t", name, got, ok, want, wantOK)
		}
	})
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
