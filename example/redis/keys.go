package main

import (
	"strconv"

	"github.com/go-weir/weir/plugins/resp"
)

func cmdDel(s *server, _ *client, args [][]byte, out []byte) []byte {
	l := s.store.lockAll(args[1:], 1)
	defer l.unlock()
	n := int64(0)
	for _, key := range args[1:] {
		sh := l.shard(key)
		if e := sh.find(key); e != nil {
			sh.remove(string(key), e)
			n++
		}
	}
	return resp.AppendInt(out, n)
}

func cmdExists(s *server, _ *client, args [][]byte, out []byte) []byte {
	l := s.store.lockAll(args[1:], 1)
	defer l.unlock()
	n := int64(0)
	for _, key := range args[1:] { // one that is asked for twice counts twice
		if l.shard(key).find(key) != nil {
			n++
		}
	}
	return resp.AppendInt(out, n)
}

// cmdKeys is not atomic: it sees one shard after the other.
func cmdKeys(s *server, _ *client, args [][]byte, out []byte) []byte {
	var found []string
	for i := range s.store.shards {
		found = s.store.shards[i].match(found, string(args[1]))
	}
	if total(found) > maxReply {
		return resp.AppendError(out, errReply)
	}
	return appendStrings(out, found)
}

// total is how many bytes the strings have.
func total(list []string) (n int) {
	for _, s := range list {
		n += len(s)
	}
	return n
}

// match appends the keys that the pattern matches.
func (sh *shard) match(found []string, pattern string) []string {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(sh.entries) == 0 {
		return found
	}
	at := now()
	for key, e := range sh.entries {
		if (e.expires == 0 || e.expires > at) && match(pattern, key) {
			found = append(found, key)
		}
	}
	return found
}

// appendStrings appends an array of the strings.
func appendStrings(out []byte, list []string) []byte {
	out = resp.AppendArray(out, len(list))
	for _, s := range list {
		out = resp.AppendBulk(out, s)
	}
	return out
}

// cmdScan goes through the shards: the cursor is the number of the next one. A
// shard is returned whole, so a key that is there from the first call to the last
// is returned once, whatever happens to others meanwhile.
func cmdScan(s *server, _ *client, args [][]byte, out []byte) []byte {
	cursor, err := strconv.ParseUint(string(args[1]), 10, 64)
	if err != nil {
		return resp.AppendError(out, "ERR invalid cursor")
	}
	pattern, count, types := "*", int64(10), true
	for opts := args[2:]; len(opts) > 0; opts = opts[2:] {
		if len(opts) == 1 {
			return resp.AppendError(out, errSyntax)
		}
		var ok bool
		switch value := opts[1]; lower(opts[0]) {
		case "match":
			pattern = string(value)
		case "type":
			types = lower(value) == "string"
		case "count":
			if count, ok = parseInt(value); !ok {
				return resp.AppendError(out, errInteger)
			}
			if count >= 1 {
				break
			}
			fallthrough
		default:
			return resp.AppendError(out, errSyntax)
		}
	}
	found, next := s.store.scan(cursor, count, pattern)
	if !types {
		found = nil
	}
	if total(found) > maxReply {
		return resp.AppendError(out, errReply)
	}
	out = resp.AppendArray(out, 2)
	out = resp.AppendBulk(out, strconv.FormatUint(next, 10))
	return appendStrings(out, found)
}

// scan returns the keys of some shards from the cursor on, about count keys if the
// pattern is for all, and where to go on; 0 at the end.
func (s *store) scan(cursor uint64, count int64, pattern string) (found []string, next uint64) {
	for looked := 0; cursor < shards && int64(looked) < count; cursor++ {
		sh := &s.shards[cursor]
		found = sh.match(found, pattern)
		looked += sh.len()
	}
	if cursor >= shards {
		cursor = 0
	}
	return found, cursor
}

func cmdDBSize(s *server, _ *client, _ [][]byte, out []byte) []byte {
	return resp.AppendInt(out, int64(s.store.len()))
}

// len is the number of entries, with those whose time has come and that nobody has
// removed yet.
func (s *store) len() (n int) {
	for i := range s.shards {
		n += s.shards[i].len()
	}
	return n
}

func (sh *shard) len() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(sh.entries)
}

func cmdFlushAll(s *server, _ *client, args [][]byte, out []byte) []byte {
	if len(args) > 2 || len(args) == 2 && lower(args[1]) != "sync" && lower(args[1]) != "async" {
		return resp.AppendError(out, errSyntax)
	}
	s.store.clear()
	return append(out, "+OK\r\n"...)
}

// clear removes all entries at once: no command comes in between.
func (s *store) clear() {
	for i := range s.shards {
		s.shards[i].mu.Lock()
	}
	for i := range s.shards {
		sh := &s.shards[i]
		sh.entries, sh.volatile = nil, nil
		sh.mu.Unlock()
	}
}
