package main

import (
	"math"
	"strconv"

	"github.com/go-weir/weir/plugins/resp"
)

func cmdGet(s *server, cl *client, args [][]byte, out []byte) []byte {
	sh := s.store.lock(args[1])
	defer sh.mu.Unlock()
	return appendValue(out, cl.version, sh.find(args[1]))
}

// appendValue appends the value of e; null if there is no e.
func appendValue(out []byte, v resp.Version, e *entry) []byte {
	if e == nil {
		return v.AppendNull(out)
	}
	return resp.AppendBulk(out, e.value)
}

func cmdSet(s *server, cl *client, args [][]byte, out []byte) []byte {
	key, value := args[1], args[2]
	var opts setOptions
	if len(args) > 3 {
		if msg := opts.parse(args[3:]); msg != "" {
			return resp.AppendError(out, msg)
		}
	}
	sh := s.store.lock(key)
	defer sh.mu.Unlock()
	old := sh.find(key)
	refused := opts.ifMissing && old != nil || opts.ifPresent && old == nil
	switch {
	case opts.get:
		out = appendValue(out, cl.version, old)
	case refused:
		out = cl.version.AppendNull(out)
	default:
		out = append(out, "+OK\r\n"...)
	}
	if refused {
		return out
	}
	e := old
	if e == nil {
		e = sh.add(key)
	}
	e.set(value)
	if !opts.keepTTL {
		sh.expireAt(key, e, opts.expires)
	}
	return out
}

// setOptions are what may follow the value in SET.
type setOptions struct {
	expires              int64 // as in entry
	keepTTL, get         bool
	ifMissing, ifPresent bool
}

// parse returns the text of an error, empty if there is none.
func (o *setOptions) parse(args [][]byte) (msg string) {
	for i := 0; i < len(args); i++ {
		switch option := lower(args[i]); {
		case option == "nx" && !o.ifPresent:
			o.ifMissing = true
		case option == "xx" && !o.ifMissing:
			o.ifPresent = true
		case option == "get":
			o.get = true
		case option == "keepttl" && o.expires == 0:
			o.keepTTL = true
		case isTimeUnit(option) && !o.keepTTL && o.expires == 0 && i+1 < len(args):
			i++
			if o.expires, msg = deadline(option, args[i], "set"); msg != "" {
				return msg
			}
		default:
			return errSyntax
		}
	}
	return ""
}

func cmdMSet(s *server, _ *client, args [][]byte, out []byte) []byte {
	pairs := args[1:]
	if len(pairs)%2 != 0 {
		return appendArity(out, "mset")
	}
	l := s.store.lockAll(pairs, 2)
	defer l.unlock()
	for i := 0; i < len(pairs); i += 2 {
		key, value := pairs[i], pairs[i+1]
		sh := l.shard(key)
		e := sh.find(key)
		if e == nil {
			e = sh.add(key)
		}
		e.set(value)
		sh.expireAt(key, e, 0)
	}
	return append(out, "+OK\r\n"...)
}

func cmdMGet(s *server, cl *client, args [][]byte, out []byte) []byte {
	keys := args[1:]
	l := s.store.lockAll(keys, 1)
	defer l.unlock()
	size := 0
	for _, key := range keys { // one that is asked for twice is sent twice
		if e := l.shard(key).find(key); e != nil {
			size += len(e.value)
		}
	}
	if size > maxReply {
		return resp.AppendError(out, errReply)
	}
	out = resp.AppendArray(out, len(keys))
	for _, key := range keys {
		out = appendValue(out, cl.version, l.shard(key).find(key))
	}
	return out
}

func cmdIncr(s *server, _ *client, args [][]byte, out []byte) []byte {
	return increment(s, args[1], 1, out)
}

func cmdDecr(s *server, _ *client, args [][]byte, out []byte) []byte {
	return increment(s, args[1], -1, out)
}

func cmdIncrBy(s *server, _ *client, args [][]byte, out []byte) []byte {
	by, ok := parseInt(args[2])
	if !ok {
		return resp.AppendError(out, errInteger)
	}
	return increment(s, args[1], by, out)
}

func cmdDecrBy(s *server, _ *client, args [][]byte, out []byte) []byte {
	by, ok := parseInt(args[2])
	switch {
	case !ok:
		return resp.AppendError(out, errInteger)
	case by == math.MinInt64:
		return resp.AppendError(out, "ERR decrement would overflow")
	}
	return increment(s, args[1], -by, out)
}

func increment(s *server, key []byte, by int64, out []byte) []byte {
	sh := s.store.lock(key)
	defer sh.mu.Unlock()
	var n int64
	e := sh.find(key)
	if e == nil {
		e = sh.add(key)
	} else {
		var ok bool
		if n, ok = parseInt(e.value); !ok {
			return resp.AppendError(out, errInteger)
		}
		if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
			return resp.AppendError(out, "ERR increment or decrement would overflow")
		}
	}
	e.value = strconv.AppendInt(e.value[:0], n+by, 10)
	return resp.AppendInt(out, n+by)
}

func cmdAppend(s *server, _ *client, args [][]byte, out []byte) []byte {
	key, value := args[1], args[2]
	sh := s.store.lock(key)
	defer sh.mu.Unlock()
	e := sh.find(key)
	if e == nil {
		e = sh.add(key)
	}
	if len(e.value)+len(value) > maxBulk {
		return resp.AppendError(out, "ERR string exceeds maximum allowed size (proto-max-bulk-len)")
	}
	e.value = append(e.value, value...)
	return resp.AppendInt(out, int64(len(e.value)))
}

func cmdStrLen(s *server, _ *client, args [][]byte, out []byte) []byte {
	sh := s.store.lock(args[1])
	defer sh.mu.Unlock()
	n := 0
	if e := sh.find(args[1]); e != nil {
		n = len(e.value)
	}
	return resp.AppendInt(out, int64(n))
}
