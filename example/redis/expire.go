package main

import (
	"math"
	"time"

	"github.com/go-weir/weir/plugins/resp"
)

// now is the time as entries have it.
func now() int64 { return time.Now().UnixMilli() }

func isTimeUnit(option string) bool {
	return option == "ex" || option == "px" || option == "exat" || option == "pxat"
}

// deadline is the time that a number of the unit ex, px (from now on), exat or pxat
// (since 1970) means to a command. msg is the text of an error.
func deadline(unit string, number []byte, command string) (at int64, msg string) {
	n, ok := parseInt(number)
	if !ok {
		return 0, errInteger
	}
	at, ok = instant(n, unit)
	if !ok || n <= 0 {
		return 0, "ERR invalid expire time in '" + command + "' command"
	}
	return at, ""
}

// instant reports false if the time is outside what there is.
func instant(n int64, unit string) (at int64, ok bool) {
	if unit == "ex" || unit == "exat" {
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return 0, false
		}
		n *= 1000
	}
	if unit == "ex" || unit == "px" {
		base := now()
		if n > math.MaxInt64-base {
			return 0, false
		}
		n += base
	}
	return n, true
}

func cmdExpire(s *server, _ *client, args [][]byte, out []byte) []byte {
	n, ok := parseInt(args[2])
	if !ok {
		return resp.AppendError(out, errInteger)
	}
	at, ok := instant(n, "ex")
	if !ok {
		return resp.AppendError(out, "ERR invalid expire time in 'expire' command")
	}
	cond, msg := parseConditions(args[3:])
	if msg != "" {
		return resp.AppendError(out, msg)
	}
	key := args[1]
	sh := s.store.lock(key)
	defer sh.mu.Unlock()
	e := sh.find(key)
	switch {
	case e == nil || !cond.allow(e.expires, at):
		return append(out, ":0\r\n"...)
	case n <= 0:
		sh.remove(string(key), e)
	default:
		sh.expireAt(key, e, at)
	}
	return append(out, ":1\r\n"...)
}

// conditions are the options of EXPIRE.
type conditions struct {
	never, ever    bool // NX, XX: if the key does not, or does, expire already
	later, earlier bool // GT, LT: if it expires after, or before, the old time
}

func parseConditions(args [][]byte) (c conditions, msg string) {
	for _, arg := range args {
		switch lower(arg) {
		case "nx":
			c.never = true
		case "xx":
			c.ever = true
		case "gt":
			c.later = true
		case "lt":
			c.earlier = true
		default:
			return c, "ERR Unsupported option " + string(arg)
		}
	}
	switch {
	case c.never && (c.ever || c.later || c.earlier):
		return c, "ERR NX and XX, GT or LT options at the same time are not compatible"
	case c.later && c.earlier:
		return c, "ERR GT and LT options at the same time are not compatible"
	}
	return c, ""
}

// allow reports whether a key that expires at old, 0 if never, may expire at at.
func (c conditions) allow(old, at int64) bool {
	switch {
	case c.never && old != 0, c.ever && old == 0:
		return false
	case c.later && (old == 0 || at <= old):
		return false
	case c.earlier && old != 0 && at >= old:
		return false
	}
	return true
}

func cmdTTL(s *server, _ *client, args [][]byte, out []byte) []byte {
	sh := s.store.lock(args[1])
	defer sh.mu.Unlock()
	e := sh.find(args[1])
	switch {
	case e == nil:
		return append(out, ":-2\r\n"...)
	case e.expires == 0:
		return append(out, ":-1\r\n"...)
	}
	return resp.AppendInt(out, (e.expires-now()+500)/1000)
}
