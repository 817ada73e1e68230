package resp_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
)

const patience = 20 * time.Second

// handler is a weir.Handler that answers each command with an array of its
// arguments.
type handler struct {
	server   *weir.Server
	protocol *resp.Protocol
	closed   chan error
}

func (h *handler) OnConnect(*weir.Connection) {}

func (h *handler) OnMessage(c *weir.Connection, ctx any, _ []byte) any {
	cmd := ctx.(*resp.Command)
	switch string(cmd.Args[0]) {
	case "restrict":
		h.protocol.Restrict(c, true)
	case "unrestrict":
		h.protocol.Restrict(c, false)
	case "float":
		return 1.5
	}
	scratch := c.UserBuffer()
	*scratch = resp.AppendArray((*scratch)[:0], len(cmd.Args))
	for _, arg := range cmd.Args {
		*scratch = resp.AppendBulk(*scratch, arg)
	}
	_, _ = c.Write(*scratch)
	return nil
}

func (h *handler) OnClose(c *weir.Connection) { h.closed <- c.Err() }

// serve runs a server and connects to it, until the test ends.
func serve(t *testing.T) (*handler, net.Conn) {
	t.Helper()
	h := &handler{protocol: protocol(t, resp.Config{}), closed: make(chan error, 2)}
	s, err := weir.NewServer(h, weir.Address("127.0.0.1:0"), weir.NumLoops(1), weir.CustomProtocol(h.protocol))
	if err != nil {
		t.Fatal(err)
	}
	h.server = s
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	t.Cleanup(func() {
		_ = s.Stop() // which returns none
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return h, c
}

// TestErrorIsSent: the client gets the replies to what it has sent before, the
// error, and the end of the stream, and OnClose the cause.
func TestErrorIsSent(t *testing.T) {
	for _, tt := range []struct{ wire, reply string }{
		{"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
		{"*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
		{"*1\r\nx\r\n", "-ERR Protocol error: expected '$', got 'x'\r\n"},
		{"*1\r\n\r\n", "-ERR Protocol error: expected '$', got ' '\r\n"}, // on one line, as Redis has it
		{"\"\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
		{strings.Repeat("x", 64<<10+1), "-ERR Protocol error: too big inline request\r\n"},
		{"*" + strings.Repeat("x", 64<<10), "-ERR Protocol error: too big mbulk count string\r\n"},
		{"*1\r\n$" + strings.Repeat("x", 64<<10), "-ERR Protocol error: too big bulk count string\r\n"},
		{"restrict\n*11\r\n", "*1\r\n$8\r\nrestrict\r\n-ERR Protocol error: unauthenticated multibulk length\r\n"},
		{"restrict\n*1\r\n$16385\r\n", "*1\r\n$8\r\nrestrict\r\n-ERR Protocol error: unauthenticated bulk length\r\n"},
	} {
		h, c := serve(t)
		if _, err := io.WriteString(c, "a\n"+tt.wire+"\nPING\r\n"); err != nil {
			t.Fatal(err)
		}
		want := array("a") + tt.reply
		if got, err := io.ReadAll(c); string(got) != want || err != nil {
			t.Errorf("%.20q: %q, %v; want %q", tt.wire, got, err, want)
		}
		c.Close()
		var perr resp.ProtocolError
		if err := <-h.closed; !errors.As(err, &perr) || !strings.HasPrefix(tt.reply[strings.LastIndex(tt.reply, "-"):], "-ERR "+string(perr[:20])) {
			t.Errorf("%.20q: closed with %v", tt.wire, err)
		}
	}
}

// TestErrorWhileSending: what the client goes on to send does not cost it the error.
func TestErrorWhileSending(t *testing.T) {
	h, c := serve(t)
	if _, err := io.WriteString(c, "*1\r\n$x\r\n"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		before := h.server.Stats().BytesIn
		if _, err := io.WriteString(c, strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); h.server.Stats().BytesIn < before+1000; time.Sleep(time.Millisecond) {
			if time.Since(begin) > patience {
				t.Fatal("the server does not read any more")
			}
		}
	}
	if got, err := io.ReadAll(c); string(got) != "-ERR Protocol error: invalid bulk length\r\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestWebPage: what a page has a browser send does nothing.
func TestWebPage(t *testing.T) {
	const head = "User-Agent: Mozilla/5.0\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 25\r\n\r\n"
	for _, tt := range []struct{ wire, before string }{
		{"POST / HTTP/1.1\r\nHost: 127.0.0.1:6379\r\n" + head + "\r\nSET pwned by-a-web-page\r\n", ""},
		{"GET /\"x HTTP/1.1\r\nHost: 127.0.0.1:6379\r\n" + head, "-ERR Protocol error: unbalanced quotes in request\r\n"},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1:6379\r\n" + head, array("GET", "/", "HTTP/1.1")},
		{"post / HTTP/1.0\nSET pwned x\r\n", ""},
		{"PUT / HTTP/1.1\r\nhost: 127.0.0.1:6379\r\n" + head, array("PUT", "/", "HTTP/1.1")},
		{"\r\n\"POST\" x\r\n", ""},
	} {
		h, c := serve(t)
		if _, err := io.WriteString(c, tt.wire); err != nil {
			t.Fatal(err)
		}
		want := tt.before
		if !strings.HasPrefix(want, "-") {
			want += "-ERR Protocol error: this is HTTP, not RESP\r\n"
		}
		if got, err := io.ReadAll(c); string(got) != want || err != nil {
			t.Errorf("%.20q: %q, %v; want %q", tt.wire, got, err, want)
		}
		c.Close()
		var perr resp.ProtocolError
		if err := <-h.closed; !errors.As(err, &perr) {
			t.Errorf("%.20q: closed with %v", tt.wire, err)
		}
	}
	_, c := serve(t) // a client library may have commands of these names
	if _, err := io.WriteString(c, array("POST", "x")+array("Host:")); err != nil {
		t.Fatal(err)
	}
	want := array("POST", "x") + array("Host:")
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRestrict(t *testing.T) {
	_, c := serve(t)
	r := bufio.NewReader(c)
	for _, args := range [][]string{
		{"restrict"},
		strings.Fields(strings.Repeat("x ", 10)),
		{strings.Repeat("x", 16<<10), "y"},
		{"restrict"},
		{"unrestrict"},
		strings.Fields(strings.Repeat("x ", 11)),
		{strings.Repeat("x", 16<<10+1), "y"},
		{"unrestrict"},
	} {
		if _, err := io.WriteString(c, array(args...)); err != nil {
			t.Fatal(err)
		}
		reply, err := resp.ReadReply(r)
		if err != nil || len(reply.Elements) != len(args) || reply.Elements[0].Text != args[0] {
			t.Fatalf("%.20q: %+v, %v", args, reply, err)
		}
	}
}

// TestRestrictOne: what holds for one connection does not for the next.
func TestRestrictOne(t *testing.T) {
	_, c := serve(t)
	other, err := net.Dial("tcp", c.RemoteAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, tt := range []struct {
		c    net.Conn
		args []string
		want string
	}{
		{c, []string{"restrict"}, array("restrict")},
		{other, many(11).args, many(11).wire},
		{c, many(10).args, many(10).wire},
		{c, many(11).args, "-ERR Protocol error: unauthenticated multibulk length\r\n"},
	} {
		if _, err := io.WriteString(tt.c, array(tt.args...)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(tt.want))
		if _, err := io.ReadFull(tt.c, got); string(got) != tt.want {
			t.Fatalf("%d arguments: %q, %v", len(tt.args), got, err)
		}
	}
}

// TestForeignData: what the protocol can't send closes the connection, and says
// what it was.
func TestForeignData(t *testing.T) {
	h, c := serve(t)
	if _, err := io.WriteString(c, "float\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := <-h.closed; err == nil || !strings.Contains(err.Error(), "float64") {
		t.Errorf("closed with %v", err)
	}
}
