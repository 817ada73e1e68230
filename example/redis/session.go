package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-weir/weir/plugins/resp"
)

func cmdPing(_ *server, cl *client, args [][]byte, out []byte) []byte {
	listens := len(cl.channels) > 0 && cl.version == resp.V2
	switch {
	case len(args) > 2:
		return appendArity(out, "ping")
	case listens: // in the form of a message, since it expects nothing else
		out = append(out, "*2\r\n$4\r\npong\r\n"...)
		return resp.AppendBulk(out, slices.Concat(args[1:]...))
	case len(args) == 2:
		return resp.AppendBulk(out, args[1])
	}
	return append(out, "+PONG\r\n"...)
}

func cmdEcho(_ *server, _ *client, args [][]byte, out []byte) []byte {
	return resp.AppendBulk(out, args[1])
}

func cmdQuit(_ *server, cl *client, _ [][]byte, out []byte) []byte {
	_, _ = cl.conn.Write(append(out, "+OK\r\n"...)) // Write does nothing after Close
	_ = cl.conn.Close()                             // it may be ending already
	return out
}

// cmdReset makes the client what it was when it connected.
func cmdReset(s *server, cl *client, _ [][]byte, out []byte) []byte {
	s.leave(cl, slices.Collect(maps.Keys(cl.channels)), func(out []byte) []byte {
		cl.channels, cl.version, cl.name = nil, resp.V2, ""
		cl.trusted = s.password == nil
		s.protocol.Restrict(cl.conn, !cl.trusted)
		return append(out, "+RESET\r\n"...)
	})
	return out
}

func cmdAuth(s *server, cl *client, args [][]byte, out []byte) []byte {
	switch {
	case len(args) > 3:
		return resp.AppendError(out, errSyntax)
	case len(args) == 2 && s.password == nil:
		return resp.AppendError(out, "ERR AUTH <password> called without any password configured for the default user. "+
			"Are you sure your configuration is correct?")
	case len(args) == 2 && s.authenticate(cl, "default", args[1]),
		len(args) == 3 && s.authenticate(cl, string(args[1]), args[2]):
		return append(out, "+OK\r\n"...)
	}
	return resp.AppendError(out, errPassword)
}

const errPassword = "WRONGPASS invalid username-password pair or user is disabled."

// authenticate lets cl in if user and password are right. The time it takes tells
// nothing about the password.
func (s *server) authenticate(cl *client, user string, password []byte) bool {
	sum := sha256.Sum256(password)
	ok := s.password == nil || subtle.ConstantTimeCompare(sum[:], s.password[:]) == 1
	if !ok || user != "default" {
		return false
	}
	cl.trusted = true
	s.protocol.Restrict(cl.conn, false)
	return true
}

// cmdHello is "HELLO [version [AUTH user password] [SETNAME name]]".
func cmdHello(s *server, cl *client, args [][]byte, out []byte) []byte {
	version := cl.version
	if len(args) > 1 {
		n, ok := parseInt(args[1])
		if !ok {
			return resp.AppendError(out, "ERR Protocol version is not an integer or out of range")
		}
		if version = resp.Version(n); n != int64(resp.V2) && n != int64(resp.V3) {
			return resp.AppendError(out, "NOPROTO unsupported protocol version")
		}
	}
	name := cl.name
	for opts := args[min(2, len(args)):]; len(opts) > 0; {
		switch option := lower(opts[0]); {
		case option == "auth" && len(opts) > 2:
			if !s.authenticate(cl, string(opts[1]), opts[2]) {
				return resp.AppendError(out, errPassword)
			}
			opts = opts[3:]
		case option == "setname" && len(opts) > 1:
			if name = string(opts[1]); !validName(name) {
				return resp.AppendError(out, errName)
			}
			opts = opts[2:]
		default:
			return resp.AppendError(out, "ERR Syntax error in HELLO option '"+string(opts[0])+"'")
		}
	}
	if !cl.trusted {
		return resp.AppendError(out, "NOAUTH HELLO must be called with the client already authenticated, otherwise the "+
			"HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version "+
			"at the same time")
	}
	cl.version, cl.name = version, name
	out = cl.version.AppendMap(out, 7)
	out = resp.AppendBulk(resp.AppendBulk(out, "server"), "redis")
	out = resp.AppendBulk(resp.AppendBulk(out, "version"), redisVersion)
	out = resp.AppendInt(resp.AppendBulk(out, "proto"), int64(version))
	out = resp.AppendInt(resp.AppendBulk(out, "id"), cl.id)
	out = resp.AppendBulk(resp.AppendBulk(out, "mode"), "standalone")
	out = resp.AppendBulk(resp.AppendBulk(out, "role"), "master")
	return resp.AppendArray(resp.AppendBulk(out, "modules"), 0)
}

const errName = "ERR Client names cannot contain spaces, newlines or special characters."

// validName reports whether name can stand in a list that is separated by blanks.
func validName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' })
}

// cmdClient is "CLIENT ID", and what client libraries say about themselves.
func cmdClient(_ *server, cl *client, args [][]byte, out []byte) []byte {
	sub := lower(args[1])
	arity, ok := map[string]int{"id": 2, "info": 2, "getname": 2, "setname": 3, "setinfo": 4}[sub]
	switch {
	case !ok:
		return appendNoSub(out, "CLIENT", args[1])
	case len(args) != arity:
		return appendArity(out, "client|"+sub)
	}
	switch sub {
	case "id":
		return resp.AppendInt(out, cl.id)
	case "info":
		return cl.version.AppendVerbatim(out, "txt", cl.info())
	case "getname":
		if cl.name == "" {
			return cl.version.AppendNull(out)
		}
		return resp.AppendBulk(out, cl.name)
	case "setname":
		if !validName(string(args[2])) {
			return resp.AppendError(out, errName)
		}
		cl.name = string(args[2])
	}
	return append(out, "+OK\r\n"...) // of the library's name and version, nothing is made
}

func (cl *client) info() string {
	return fmt.Sprintf("id=%d addr=%s laddr=%s name=%s db=0 sub=%d user=default resp=%d\n",
		cl.id, cl.conn.RemoteAddr(), cl.conn.LocalAddr(), cl.name, len(cl.channels), cl.version)
}

func appendNoSub(out []byte, command string, sub []byte) []byte {
	return resp.AppendError(out, "ERR unknown subcommand '"+string(sub)+"'. Try "+command+" HELP.")
}
