package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// room is who is in it and what was said. All of it is guarded by the chat's mu.
type room struct {
	name    string
	members []*client           // in the order in which they came
	taken   map[string]struct{} // their names, in lower case
	came    int                 // how many ever have
	history []json.RawMessage   // the last ones, the oldest first
	joined  map[string]struct{} // since the last news
	left    map[string]struct{}
	waited  int       // ticks with news that were not told
	empty   time.Time // since when; zero if somebody is there
}

func newRoom(name string) *room {
	return &room{
		name:    name,
		taken:   make(map[string]struct{}),
		history: []json.RawMessage{}, // which in JSON is [], and nil is null
		joined:  make(map[string]struct{}),
		left:    make(map[string]struct{}),
	}
}

// topic is what its members are subscribed to.
func (r *room) topic() string { return "room/" + r.name }

// enter adds c under a name like the one it wants, and returns that.
func (r *room) enter(c *client, wanted string, longest int) string {
	r.came++
	name := r.free(wanted, longest)
	r.taken[strings.ToLower(name)] = struct{}{}
	r.members = append(r.members, c)
	r.empty = time.Time{}
	if _, back := r.left[name]; back {
		delete(r.left, name)
	} else {
		r.joined[name] = struct{}{}
	}
	return name
}

// free returns the name, with a number if somebody has it.
func (r *room) free(wanted string, longest int) string {
	name := wanted
	for n := 2; ; n++ {
		if _, taken := r.taken[strings.ToLower(name)]; !taken {
			return name
		}
		if n == 10 {
			n = max(n, r.came) // in a crowd, don't try them all
		}
		suffix := fmt.Sprintf(" %d", n)
		name = cut(wanted, longest-len(suffix)) + suffix
	}
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// leave takes c out, and reports whether the room is empty then.
func (r *room) leave(c *client, now time.Time) (empty bool) {
	i := slices.Index(r.members, c)
	r.members = slices.Delete(r.members, i, i+1)
	delete(r.taken, strings.ToLower(c.name))
	if len(r.members) == 0 {
		r.empty = now
	}
	if _, fresh := r.joined[c.name]; fresh {
		delete(r.joined, c.name)
	} else {
		r.left[c.name] = struct{}{}
	}
	return len(r.members) == 0
}

// remember adds to the history.
func (r *room) remember(message []byte, most int) {
	r.trim(most - 1)
	r.history = append(r.history, message)
}

// trim forgets the oldest messages of a history that is too long.
func (r *room) trim(most int) {
	r.history = slices.Delete(r.history, 0, max(len(r.history)-most, 0))
}

// names are the first who came.
func (r *room) names() []string {
	names := make([]string, 0, min(len(r.members), namesShown))
	for _, c := range r.members[:cap(names)] {
		names = append(names, c.name)
	}
	return names
}

// news returns what is to be told about who is there; nil if there is nothing, or if
// it can wait: of a crowd, everything is told to a crowd.
func (r *room) news() []byte {
	if len(r.joined)+len(r.left) == 0 {
		return nil
	}
	if r.waited++; len(r.members) > crowd && r.waited < crowdWait {
		return nil
	}
	p := presence{
		T: "here", Here: len(r.members), Names: r.names(),
		Joins: len(r.joined), Leaves: len(r.left), Joined: some(r.joined), Left: some(r.left),
	}
	r.waited = 0
	clear(r.joined)
	clear(r.left)
	return encode(p)
}

// some returns a few of the names.
func some(names map[string]struct{}) []string {
	var few []string
	for name := range maps.Keys(names) {
		if few = append(few, name); len(few) == changesShown {
			break
		}
	}
	slices.Sort(few)
	return few
}
