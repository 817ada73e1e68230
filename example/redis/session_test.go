package main

import (
	"strings"
	"testing"
)

func TestPassword(t *testing.T) {
	addr := start(t, "secret")
	const noAuth, wrong = "-NOAUTH Authentication required.", "-WRONGPASS invalid username-password pair or user is disabled."
	p := dial(t, addr)
	for _, line := range []string{"PING", "GET a", "SUBSCRIBE ch", "COMMAND", "CLIENT ID"} {
		p.expect(line, noAuth)
	}
	p.expect("GET", "-ERR wrong number of arguments for 'get' command")
	if got := p.do("HELLO 3"); !strings.HasPrefix(got, "-NOAUTH HELLO must be called with the client already authenticated") {
		t.Errorf("HELLO 3: %s", got)
	}
	p.expect("AUTH wrong", wrong)
	p.expect("AUTH somebody secret", wrong)
	p.expect("AUTH default wrong", wrong)
	p.expect("HELLO 3 AUTH default wrong", wrong)
	p.expect("PING", noAuth)
	p.expect("AUTH secret", "+OK")
	p.expect("PING", "+PONG")
	p.expect("AUTH wrong", wrong)
	p.expect("PING", "+PONG") // as before

	p = dial(t, addr)
	if got := p.do("HELLO 3 AUTH default secret SETNAME me"); !strings.HasPrefix(got, `{"server" "redis"`) {
		t.Errorf("HELLO 3 AUTH: %s", got)
	}
	p.expect("CLIENT GETNAME", `"me"`)
}

// TestPasswordFirst: who has not given the password can't have much remembered.
func TestPasswordFirst(t *testing.T) {
	addr := start(t, "secret")
	for _, tt := range []struct{ wire, reply string }{
		{"*11", "-ERR Protocol error: unauthenticated multibulk length"},
		{"*2\r\n$4\r\nAUTH\r\n$16385\r", "-ERR Protocol error: unauthenticated bulk length"},
	} {
		p := dial(t, addr)
		p.expect(tt.wire+"\r", tt.reply)
		p = dial(t, addr)
		p.expect("AUTH secret", "+OK")
		p.send("*11\r")
		p.send(strings.Repeat("$4\r\nECHO\r\n", 11) + "PING")
		if got := p.read(); !strings.HasPrefix(got, "-ERR wrong number") {
			t.Errorf("after AUTH: %s", got)
		}
	}
}

// TestReset: the client is what it was at first.
func TestReset(t *testing.T) {
	p := dial(t, start(t, "secret"))
	p.expect("RESET", "+RESET")
	p.do("HELLO 3 AUTH default secret SETNAME me")
	p.expect("SUBSCRIBE ch", `>["subscribe" "ch" :1]`)
	p.expect("RESET", "+RESET")
	p.expect("PING", "-NOAUTH Authentication required.")
	p.expect("*11\r", "-ERR Protocol error: unauthenticated multibulk length")
	p = dial(t, p.RemoteAddr().String())
	p.do("HELLO 3 AUTH default secret SETNAME me")
	p.send("RESET", "AUTH secret", "CLIENT GETNAME", "PUBLISH ch x")
	for _, want := range []string{"+RESET", "+OK", "nil", ":0"} {
		if got := p.read(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestWebPage: a page that has its reader's browser send commands changes nothing.
func TestWebPage(t *testing.T) {
	addr := start(t, "")
	for _, wire := range []string{
		"POST / HTTP/1.1\r\nHost: " + addr + "\r\nContent-Type: text/plain\r\n\r\n\r\nSET pwned by-a-web-page\r\n",
		"GET / HTTP/1.1\r\nHost: " + addr + "\r\n\r\nSET pwned by-a-web-page\r\n",
	} {
		p := dial(t, addr)
		p.send(wire)
		for reply := ""; !strings.HasPrefix(reply, "-ERR Protocol error"); {
			reply = p.read()
		}
		if b, err := p.r.ReadByte(); err == nil {
			t.Errorf("more is answered: %q", b)
		}
	}
	dial(t, addr).expect("GET pwned", "nil")
}

func TestInfo(t *testing.T) {
	p := dial(t, start(t, ""))
	p.do("SET a 1")
	for section, want := range map[string]string{
		"server": "redis_version:7.0.15", "clients": "connected_clients:1", "Stats": "total_commands_processed:",
		"keyspace": "db0:keys=1", "everything": "# Keyspace", "": "# Server",
	} {
		if got := p.do("INFO " + section); !strings.Contains(got, want) {
			t.Errorf("INFO %s: %s", section, got)
		}
	}
	p.expect("INFO nosuch", `""`)
	if got := p.do("CLIENT INFO"); !strings.Contains(got, "id=1 addr=127.0.0.1:") {
		t.Errorf("CLIENT INFO: %s", got)
	}
}

// TestCommandTable: every command says what it is, and works with the fewest
// arguments that it says it takes.
func TestCommandTable(t *testing.T) {
	addr := start(t, "")
	p := dial(t, addr)
	commands := newCommands()
	if got := p.do("COMMAND COUNT"); got != ":31" || len(commands.names) != 31 {
		t.Errorf("COMMAND COUNT: %s of %d", got, len(commands.names))
	}
	p.expect("COMMAND INFO get subscribe", `[["get" :2 [+readonly +fast] :1 :1 :1] ["subscribe" :-2 [+pubsub] :0 :0 :0]]`)
	all := p.do("COMMAND")
	for _, name := range commands.names {
		if !strings.Contains(all, `["`+name+`" :`) {
			t.Errorf("COMMAND does not tell of %s", name)
		}
		cmd := commands.find([]byte(strings.ToUpper(name)))
		least := max(cmd.arity, -cmd.arity)
		q := dial(t, addr)
		got := q.do(name + strings.Repeat(" 1", least-1))
		if strings.HasPrefix(got, "-ERR wrong number") || strings.HasPrefix(got, "-ERR unknown command") {
			t.Errorf("%s with %d arguments: %s", name, least, got)
		}
		if least > 1 {
			dial(t, addr).expect(name+strings.Repeat(" 1", least-2), "-ERR wrong number of arguments for '"+name+"' command")
		}
	}
}
