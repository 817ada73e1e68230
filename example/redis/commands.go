package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-weir/weir/plugins/resp"
)

// command is one that clients may send.
type command struct {
	name  string
	arity int // number of arguments with the name; if negative, the least number
	flags flags
	keys  [3]int // first, last (counted from the end if negative) and step: where the keys are
	run   func(s *server, cl *client, args [][]byte, out []byte) []byte
}

// flags say what kind of a command it is.
type flags uint8

const (
	write     flags = 1 << iota // changes keys
	readonly                    // looks at keys
	fast                        // takes no longer if there is more of anything
	anyone                      // needs no password
	listening                   // a subscriber may send it, in RESP2 too
)

func (c *command) has(f flags) bool { return c.flags&f != 0 }

// accepts reports whether n arguments, with the name, are as many as there must be.
func (c *command) accepts(n int) bool { return n == c.arity || c.arity < 0 && n >= -c.arity }

// commands are those that there are.
type commands struct {
	names []string // in order
	table *resp.Table[*command]
}

func newCommands() commands {
	all := make(map[string]*command)
	none, one := [3]int{}, [3]int{1, 1, 1}
	rest, pairs := [3]int{1, -1, 1}, [3]int{1, -1, 2}
	for _, c := range []command{
		// name, arity, flags, keys, function
		{"ping", -1, fast | listening, none, cmdPing},
		{"echo", 2, fast, none, cmdEcho},
		{"set", -3, write, one, cmdSet},
		{"get", 2, readonly | fast, one, cmdGet},
		{"append", 3, write | fast, one, cmdAppend},
		{"strlen", 2, readonly | fast, one, cmdStrLen},
		{"incr", 2, write | fast, one, cmdIncr},
		{"decr", 2, write | fast, one, cmdDecr},
		{"incrby", 3, write | fast, one, cmdIncrBy},
		{"decrby", 3, write | fast, one, cmdDecrBy},
		{"mset", -3, write, pairs, cmdMSet},
		{"mget", -2, readonly | fast, rest, cmdMGet},
		{"del", -2, write, rest, cmdDel},
		{"exists", -2, readonly | fast, rest, cmdExists},
		{"expire", -3, write | fast, one, cmdExpire},
		{"ttl", 2, readonly | fast, one, cmdTTL},
		{"keys", 2, readonly, none, cmdKeys},
		{"scan", -2, readonly, none, cmdScan},
		{"dbsize", 1, readonly | fast, none, cmdDBSize},
		{"flushall", -1, write, none, cmdFlushAll},
		{"subscribe", -2, listening, none, cmdSubscribe},
		{"unsubscribe", -1, listening, none, cmdUnsubscribe},
		{"publish", 3, fast, none, cmdPublish},
		{"hello", -1, fast | anyone, none, cmdHello},
		{"auth", -2, fast | anyone, none, cmdAuth},
		{"client", -2, 0, none, cmdClient},
		{"command", -1, 0, none, cmdCommand},
		{"config", -2, 0, none, cmdConfig},
		{"info", -1, 0, none, cmdInfo},
		{"reset", 1, fast | anyone | listening, none, cmdReset},
		{"quit", -1, fast | anyone | listening, none, cmdQuit},
	} {
		all[c.name] = &c
	}
	return commands{slices.Sorted(maps.Keys(all)), resp.NewTable(all)}
}

// find returns the command of that name; nil if there is none.
func (c commands) find(name []byte) *command {
	cmd, _ := c.table.Find(name)
	return cmd
}

func appendArity(out []byte, name string) []byte {
	return resp.AppendError(out, "ERR wrong number of arguments for '"+name+"' command")
}

// appendUnknown appends the error for a command that doesn't exist, with as much
// of its arguments as somebody needs to find it in his program.
func appendUnknown(out []byte, args [][]byte) []byte {
	const longest = 128
	text := []byte("ERR unknown command '")
	text = append(text, args[0][:min(len(args[0]), longest)]...)
	text = append(text, "', with args beginning with: "...)
	begin := len(text)
	for _, arg := range args[1:] {
		n := longest - (len(text) - begin)
		if n <= 0 {
			break
		}
		text = append(text, '\'')
		text = append(text, arg[:min(len(arg), n)]...)
		text = append(text, "' "...)
	}
	return resp.AppendError(out, string(text))
}

// The errors that several commands have.
const (
	errSyntax  = "ERR syntax error"
	errInteger = "ERR value is not an integer or out of range"
	errReply   = "ERR reply exceeds the maximum size"
	errBacklog = "ERR clients have yet to read too much for a reply of that size"
)

// parseInt reads an integer as Redis does: no plus sign, no zero in front.
func parseInt(p []byte) (n int64, ok bool) {
	n, err := strconv.ParseInt(string(p), 10, 64)
	var canonical [20]byte
	return n, err == nil && string(strconv.AppendInt(canonical[:0], n, 10)) == string(p)
}

// lower is p in small letters.
func lower(p []byte) string { return strings.ToLower(string(p)) }
