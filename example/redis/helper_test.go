package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
	"github.com/go-weir/weir/plugins/resp"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// start runs a server with two loops until the test ends, and returns its address.
func start(t testing.TB, password string) string {
	t.Helper()
	s, err := listen("127.0.0.1:0", 2, password)
	return run(t, s, err)
}

// run is start for the result of listen.
func run(t testing.TB, s *weir.Server, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	t.Cleanup(func() {
		_ = s.Stop() // which returns none
		if err := <-ended; err != nil && !errors.Is(err, weir.ErrServerStopped) {
			t.Error(err)
		}
	})
	return s.Addrs()[0].String()
}

// peer is a client that knows nothing but how to read a reply.
type peer struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &peer{c, t, bufio.NewReader(c)}
}

// send sends commands, each on a line.
func (p *peer) send(lines ...string) {
	p.t.Helper()
	if _, err := io.WriteString(p, strings.Join(lines, "\n")+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// read reads one reply; see show.
func (p *peer) read() string {
	p.t.Helper()
	reply, err := resp.ReadReply(p.r)
	if err != nil {
		p.t.Fatal(err)
	}
	return show(reply)
}

// do sends a command and returns its reply.
func (p *peer) do(line string) string {
	p.t.Helper()
	p.send(line)
	return p.read()
}

// expect fails the test unless the command's reply is want.
func (p *peer) expect(line, want string) {
	p.t.Helper()
	if got := p.do(line); got != want {
		p.t.Errorf("%s\n got %s\nwant %s", line, got, want)
	}
}

// show writes a reply as short as can be: +OK, -ERR why, :1, "string", nil, [a b],
// and of RESP3 ,1.5 #t {key value} ~[set] >[push] =txt:text.
func show(r resp.Reply) string {
	switch r.Kind {
	case '$':
		return fmt.Sprintf("%q", r.Text)
	case '_':
		return "nil"
	case '*', '~', '>', '%':
		var elements []string
		for _, e := range r.Elements {
			elements = append(elements, show(e))
		}
		list := strings.Join(elements, " ")
		switch r.Kind {
		case '*':
			return "[" + list + "]"
		case '%':
			return "{" + list + "}"
		}
		return string(r.Kind) + "[" + list + "]"
	}
	return string(r.Kind) + r.Text
}
