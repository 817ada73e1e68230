package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestHandshake: what is answered to a request, wherever it is cut.
func TestHandshake(t *testing.T) {
	s := start(t, &handler{}, websocket.HeadLimit(2000), websocket.Subprotocols("b", "a"),
		websocket.Origins("https://friend.example", "http://other.example:8080"))
	replace := func(old, other string) string {
		request := good()
		if !strings.Contains(request, old) {
			t.Fatalf("no %q in the request", old)
		}
		return strings.Replace(request, old, other, 1) + "\r\n"
	}
	more := func(lines ...string) string { return good(lines...) + "\r\n" }
	const upgrade, connection, keyLine, version = "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Sec-WebSocket-Key: " + key + "\r\n", "Sec-WebSocket-Version: 13\r\n"
	for _, tt := range []struct {
		name, request string
		status        int
		field, value  string // of the reply
	}{
		{"good", more(), 101, "Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
		{"Firefox", replace(connection, "Connection: keep-alive, Upgrade\r\n"), 101, "Connection", "Upgrade"},
		{"two Connections", replace(connection, "Connection: keep-alive\r\nConnection: upgrade\r\n"), 101, "Upgrade", "websocket"},
		{"cases", replace(upgrade, "UPGRADE: WebSocket\r\n"), 101, "Upgrade", "websocket"},
		{"list of upgrades", replace(upgrade, "Upgrade: h2c, websocket\r\n"), 101, "Upgrade", "websocket"},
		{"two Upgrades", more("Upgrade: websocket"), 101, "Upgrade", "websocket"},
		{"upgrades in two fields", replace(upgrade, "Upgrade: h2c\r\nUpgrade: websocket\r\n"), 101, "Upgrade", "websocket"},
		{"extension without a parameter's name", more("Sec-WebSocket-Extensions: permessage-deflate;"), 400, "", ""},
		{"extensions without a comma", more("Sec-WebSocket-Extensions: a b, permessage-deflate"), 400, "", ""},
		{"malformed extensions in the second field", more("Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Extensions: =1"), 400, "", ""},
		{"absolute target", replace("/chat", "http://example.com/chat"), 101, "", ""},
		{"no extension is agreed on", more("Sec-WebSocket-Extensions: permessage-deflate; x"), 101, "Sec-WebSocket-Extensions", ""},

		{"POST", replace("GET", "POST"), 405, "Allow", "GET"},
		{"HEAD", replace("GET", "HEAD"), 405, "Allow", "GET"},
		{"HTTP/1.0", replace("HTTP/1.1", "HTTP/1.0"), 505, "", ""},
		{"HTTP/2.0", replace("HTTP/1.1", "HTTP/2.0"), 505, "", ""},
		{"no version", replace(version, ""), 400, "", ""},
		{"version 8", replace(version, "Sec-WebSocket-Version: 8\r\n"), 426, "Sec-WebSocket-Version", "13"},
		{"version 013", replace(version, "Sec-WebSocket-Version: 013\r\n"), 426, "Upgrade", "websocket"},
		{"two versions", more("Sec-WebSocket-Version: 13"), 400, "", ""},
		{"no key", replace(keyLine, ""), 400, "", ""},
		{"two keys", more("Sec-WebSocket-Key: " + key), 400, "", ""},
		{"short key", replace(key, "dGhlIHNhbXBsZSBub25j"), 400, "", ""},
		{"long key", replace(key, "dGhlIHNhbXBsZSBub25jZTEyMw=="), 400, "", ""},
		{"15 bytes", replace(key, "dGhlIHNhbXBsZSBub25jAA=="[:20]+"AA=="), 101, "", ""},
		{"key with bits left over", replace(key, "dGhlIHNhbXBsZSBub25jZR=="), 400, "", ""},
		{"key not base64", replace(key, "dGhlIHNhbXBsZSBub25j*Q=="), 400, "", ""},
		{"key without padding", replace(key, "dGhlIHNhbXBsZSBub25jZQAA"), 400, "", ""},
		{"no Upgrade", replace(upgrade, ""), 400, "", ""},
		{"two Upgrades, neither of ours", replace(upgrade, "Upgrade: h2c\r\nUpgrade: websockets\r\n"), 400, "", ""},
		{"other Upgrade", replace(upgrade, "Upgrade: websockets\r\n"), 400, "", ""},
		{"no Connection", replace(connection, ""), 400, "", ""},
		{"Connection: close", replace(connection, "Connection: close\r\n"), 400, "", ""},
		{"no host", replace("Host: example.com\r\n", ""), 400, "", ""},
		{"empty host", replace("Host: example.com", "Host:"), 400, "", ""},
		{"two hosts", more("Host: example.com"), 400, "", ""},
		{"bare LF", replace("\r\nUpgrade", "\nUpgrade"), 400, "", ""},
		{"CR", replace("websocket", "web\rsocket"), 400, "", ""},
		{"NUL", replace("websocket", "websocket\x00"), 400, "", ""},
		{"folded", replace("Connection: ", "Connection:\r\n "), 400, "", ""},
		{"space before the colon", replace("Upgrade:", "Upgrade :"), 400, "", ""},
		{"body", more("Content-Length: 5"), 400, "", ""},
		{"chunked body", more("Transfer-Encoding: chunked"), 400, "", ""},
		{"expectation", more("Expect: 100-continue"), 400, "", ""},
		{"two lengths", more("Content-Length: 0", "Content-Length: 0"), 400, "", ""},
		{"head too long", more("X: " + strings.Repeat("x", 2000)), 431, "", ""},
		{"too many fields", more(strings.Repeat("A:\r\n", 110) + "A:"), 431, "", ""},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n", 400, "", ""},
		{"no WebSocket", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426, "Upgrade", "websocket"},
		{"no WebSocket, and POST", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, "Allow", "GET"},

		{"our best", more("Sec-WebSocket-Protocol: a, b"), 101, "Sec-WebSocket-Protocol", "b"},
		{"two lines", more("Sec-WebSocket-Protocol: c", "Sec-WebSocket-Protocol: a"), 101, "Sec-WebSocket-Protocol", "a"},
		{"none of ours", more("Sec-WebSocket-Protocol: c"), 101, "Sec-WebSocket-Protocol", ""},
		{"the same twice", more("Sec-WebSocket-Protocol: a, a"), 400, "", ""},
		{"no token", more("Sec-WebSocket-Protocol: a b"), 400, "", ""},
		{"the same in two lines", more("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b, a"), 400, "", ""},
		{"empty elements", more("Sec-WebSocket-Protocol: ,a,, b,"), 101, "Sec-WebSocket-Protocol", "b"},
		{"nothing but empty elements", more("Sec-WebSocket-Protocol: ,"), 101, "Sec-WebSocket-Protocol", ""},
		{"no token, of another origin", more("Sec-WebSocket-Protocol: a b", "Origin: https://evil.example"), 403, "", ""},

		{"same origin", more("Origin: http://example.com"), 101, "", ""},
		{"same origin, its port", more("Origin: https://EXAMPLE.com:443"), 101, "", ""},
		{"other port", more("Origin: http://example.com:8080"), 403, "", ""},
		{"other origin", more("Origin: https://evil.example"), 403, "", ""},
		{"prefix", more("Origin: https://example.com.evil.example"), 403, "", ""},
		{"null", more("Origin: null"), 403, "", ""},
		{"empty", more("Origin:"), 403, "", ""},
		{"with a path", more("Origin: https://friend.example/"), 403, "", ""},
		{"friend", more("Origin: https://friend.example"), 101, "", ""},
		{"friend without TLS", more("Origin: http://friend.example"), 403, "", ""},
		{"friend with a port", more("Origin: http://other.example:8080"), 101, "", ""},
		{"extension with our host's name", more("Origin: chrome-extension://example.com"), 403, "", ""},
		{"IPv6", replace("Host: example.com", "Host: [::1]:80\r\nOrigin: http://[::1]"), 101, "", ""},
		{"IPv6, other port", replace("Host: example.com", "Host: [::1]:8080\r\nOrigin: http://[::1]"), 403, "", ""},
		{"IPv6 that ends like a port", replace("Host: example.com", "Host: [::80]\r\nOrigin: http://[::80]:80"), 101, "", ""},
		{"host with its port", replace("Host: example.com", "Host: example.com:8080\r\nOrigin: http://example.com:8080"), 101, "", ""},
		{"port of the other scheme", replace("Host: example.com", "Host: example.com:443\r\nOrigin: http://example.com"), 403, "", ""},
		{"friend of the default port", more("Origin: https://FRIEND.example:443"), 101, "", ""},
		{"two origins", more("Origin: http://example.com", "Origin: http://example.com"), 400, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, cut := range []int{0, 1, len(tt.request) / 2, len(tt.request) - 1} {
				c := connect(t, s)
				send(t, c, tt.request[:cut])
				send(t, c, tt.request[cut:])
				reply := c.reply(t)
				if reply.StatusCode != tt.status {
					t.Fatalf("status %d, want %d", reply.StatusCode, tt.status)
				}
				if got := strings.Join(reply.Header.Values(tt.field), "|"); tt.field != "" && got != tt.value {
					t.Errorf("%s is %q, want %q", tt.field, got, tt.value)
				}
				if tt.status != 101 {
					if _, err := io.ReadAll(c.Reader); err != nil {
						t.Errorf("behind the reply: %v", err)
					}
					continue
				}
				receive(t, s.opened)
				send(t, c, wireClose(1000, ""))
				if got := c.frames(t); got != "close:1000" {
					t.Errorf("frames %s", got)
				}
			}
		})
	}
	st := s.protocol.Stats()
	eventually(t, "the counts", func() bool {
		st = s.protocol.Stats()
		return st.Refused.Forbidden >= 7*4 && st.Refused.Head >= 8 && st.Refused.Method >= 12
	})
	if st.Refused.Malformed == 0 || st.Refused.Plain == 0 || st.Refused.Other == 0 || st.Upgraded == 0 {
		t.Errorf("%+v", st)
	}
}

// TestLargeHead: all of a head within the limit is understood, one byte more is not.
func TestLargeHead(t *testing.T) {
	s := start(t, &handler{}, websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		return websocket.Answer{Header: http.Header{"X-Length": {fmt.Sprint(len(r.Header("Cookie")))}}}, nil
	}))
	room := 16<<10 - len(good("Cookie: ")+"\r\n")
	for n, want := range map[int]int{room: 101, room + 1: 431} {
		c := connect(t, s)
		send(t, c, good("Cookie: "+strings.Repeat("c", n))+"\r\n")
		reply := c.reply(t)
		if reply.StatusCode != want || want == 101 && reply.Header.Get("X-Length") != fmt.Sprint(n) {
			t.Errorf("%d bytes: %d %v", n, reply.StatusCode, reply.Header)
		}
	}
}

// TestBehindHandshake: frames that come together with the handshake are not lost.
func TestBehindHandshake(t *testing.T) {
	s := start(t, &handler{message: echo})
	c := connect(t, s)
	send(t, c, good()+"\r\n"+wire(codec.Text, 0, "early")+wireClose(1000, ""))
	c.reply(t)
	if got := c.frames(t); got != "text:early close:1000" {
		t.Errorf("frames %s", got)
	}
}

// TestHandshakeTimeout: neither silence nor half a head keeps a connection.
func TestHandshakeTimeout(t *testing.T) {
	const limit = 300 * time.Millisecond
	s := start(t, &handler{}, websocket.HandshakeTimeout(limit))
	silent := connect(t, s)
	if rest, err := io.ReadAll(silent.Reader); len(rest) > 0 || err != nil {
		t.Errorf("silent: %q, %v", rest, err)
	}
	slow := connect(t, s)
	send(t, slow, good()[:50])
	if reply := slow.reply(t); reply.StatusCode != http.StatusRequestTimeout {
		t.Errorf("slow: status %d", reply.StatusCode)
	}
	eventually(t, "the count", func() bool { return s.protocol.Stats().Refused.Timeout == 2 })

	c := dial(t, s, nil) // the time is that of the handshake alone
	open := receive(t, s.opened)
	time.Sleep(limit * 3 / 2)
	fail(t, open.WriteText([]byte("still there")))
	expect(t, c, codec.Text, "still there")
}

// TestOnUpgrade: the hook sees what was asked for, and says what is answered.
func TestOnUpgrade(t *testing.T) {
	s := start(t, &handler{open: func(c *websocket.Conn) {
		_ = c.Reply(codec.Text, []byte(c.UserData().(string)))
	}}, websocket.Subprotocols("a"), websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		cookie, _ := r.Cookie("session")
		_, other := r.Cookie("other")
		if other || r.RemoteAddr().String() != r.Connection().PeerAddr() || r.Origin() != "" {
			return websocket.Answer{}, errors.New("not as expected")
		}
		switch string(r.Path()) {
		case "/forbidden":
			return websocket.Answer{}, errors.New("because")
		case "/teapot":
			return websocket.Answer{}, &websocket.Refusal{Status: 418, Body: "short and stout", Header: http.Header{"X-Pot": {"tea"}}}
		case "/odd":
			return websocket.Answer{}, &websocket.Refusal{Status: 101}
		case "/foreign":
			return websocket.Answer{Subprotocol: "z"}, nil
		case "/panic":
			panic("no")
		}
		return websocket.Answer{
			Header:      http.Header{"X-Answer": {"4\r\n2"}, "Upgrade": {"h2c"}, "Bad Name": {"x"}, "Set-Cookie": {"a=b", "c=d"}},
			Subprotocol: string(r.Query()),
			UserData:    string(r.Path()) + " " + cookie + " " + string(r.Header("X-More")) + " " + strings.Join(r.Subprotocols(), ","),
		}, nil
	}))
	get := func(target string) (raw, *http.Response) {
		c := connect(t, s)
		send(t, c, strings.Replace(good("Cookie: x=y; session=abc", "X-More: more", "Sec-WebSocket-Protocol: a, b"), "/chat", target, 1)+"\r\n")
		return c, c.reply(t)
	}
	c, reply := get("/room?b")
	if h := reply.Header; reply.StatusCode != 101 || h.Get("X-Answer") != "4  2" || h.Get("Upgrade") != "websocket" || h.Get("Sec-WebSocket-Protocol") != "b" ||
		!slices.Equal(h.Values("Set-Cookie"), []string{"a=b", "c=d"}) {
		t.Errorf("%d %v", reply.StatusCode, h)
	}
	send(t, c, wireClose(1000, ""))
	if got := c.frames(t); got != "text:/room abc more a,b close:1000" {
		t.Errorf("frames %s", got)
	}
	if open := receive(t, s.opened); open.Subprotocol() != "b" {
		t.Errorf("subprotocol %q", open.Subprotocol())
	}
	if _, reply := get("/room"); reply.Header.Get("Sec-WebSocket-Protocol") != "a" {
		t.Errorf("default subprotocol: %v", reply.Header)
	}
	for target, want := range map[string]int{"/forbidden": 403, "/teapot": 418, "/odd": 500, "/foreign": 500, "/panic": 500} {
		if _, reply := get(target); reply.StatusCode != want {
			t.Errorf("%s: %d, want %d", target, reply.StatusCode, want)
		}
	}
	_, err := websocket.Dial(t.Context(), s.url("/teapot"), nil)
	var refused *websocket.HandshakeError
	if !errors.As(err, &refused) || refused.Status != 418 || refused.Body != "short and stout" || refused.Header.Get("X-Pot") != "tea" {
		t.Errorf("Dial: %v, %+v", err, refused)
	}
}

// TestRefusedMemory: the memory of what was agreed on in a handshake that fails, for
// whatever reason, is given back.
func TestRefusedMemory(t *testing.T) {
	u := &ws.Upgrader{OnHeader: func(name, _ []byte) error {
		if string(name) == "X-Refuse" {
			return ws.RejectConnectionError()
		}
		return nil
	}}
	asked := 0 // on the one loop
	s := startOn(t, &handler{}, websocket.New(u, websocket.Compression(codec.Deflate{}), websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		asked++
		switch string(r.Path()) {
		case "/refuse":
			return websocket.Answer{}, errors.New("because")
		case "/panic":
			panic("no")
		case "/close":
			_ = r.Connection().Close() // so that the answer can't be written
		}
		return websocket.Answer{}, nil
	})))
	for target, more := range map[string]string{"/refuse": "X: y", "/panic": "X: y", "/upgrader": "X-Refuse: yes", "/close": "X: y"} {
		c := connect(t, s)
		send(t, c, strings.Replace(good("Sec-WebSocket-Extensions: permessage-deflate", more), "/chat", target, 1)+"\r\n")
		if reply, err := io.ReadAll(c); err != nil || strings.Contains(string(reply), " 101 ") {
			t.Errorf("%s: %q, %v", target, reply, err)
		}
	}
	_, conn := pair(t, s, &websocket.DialOptions{Compression: &codec.Deflate{Takeover: true}})
	if n := onLoop(t, conn, func() int { return asked }); n != 5 {
		t.Errorf("OnUpgrade was called %d times", n)
	}
	if n := s.protocol.Stats().Memory; n != 32<<10 {
		t.Errorf("%d bytes are counted for one connection", n)
	}
}

// TestCheckOrigin: the function has the last word, of requests that have an origin.
func TestCheckOrigin(t *testing.T) {
	s := start(t, &handler{}, websocket.CheckOrigin(func(r *websocket.Request) bool { return r.Origin() == "odd" }))
	for origin, want := range map[string]int{"": 101, "Origin: odd": 101, "Origin: http://example.com": 403} {
		c := connect(t, s)
		if origin != "" {
			origin += "\r\n"
		}
		send(t, c, good()+origin+"\r\n")
		if reply := c.reply(t); reply.StatusCode != want {
			t.Errorf("%q: %d, want %d", origin, reply.StatusCode, want)
		}
	}
}

// TestFallback: a page and its socket share a port, and a connection.
func TestFallback(t *testing.T) {
	s := start(t, &handler{message: echo}, websocket.Fallback(func(w *http1.Response, r *http1.Request) {
		w.WriteString("page " + string(r.Path()))
	}))
	c := connect(t, s)
	for range 2 {
		send(t, c, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
		reply := c.reply(t)
		if body, err := io.ReadAll(reply.Body); reply.StatusCode != 200 || string(body) != "page /a" || err != nil {
			t.Fatalf("%d %q, %v", reply.StatusCode, body, err)
		}
	}
	send(t, c, good()+"\r\n"+wire(codec.Text, 0, "x")+wireClose(1000, ""))
	c.reply(t)
	if got := c.frames(t); got != "text:x close:1000" {
		t.Errorf("frames %s", got)
	}
}

// TestUpgrader: what a ws.Upgrader says holds.
func TestUpgrader(t *testing.T) {
	hosts := make(chan string, 4)
	u := &ws.Upgrader{
		Protocol: func(p []byte) bool { return string(p) == "two" },
		Header:   ws.HandshakeHeaderHTTP(http.Header{"X-Upgrader": {"yes"}}),
		OnHost:   func(host []byte) error { hosts <- string(host); return nil },
		OnHeader: func(name, value []byte) error {
			if string(name) == "X-Refuse" {
				return ws.RejectConnectionError(ws.RejectionStatus(402), ws.RejectionReason(string(value)))
			}
			return nil
		},
	}
	s := startOn(t, &handler{}, websocket.New(u))
	c := connect(t, s)
	send(t, c, good("Sec-WebSocket-Protocol: one,,", "Sec-WebSocket-Protocol: two")+"\r\n")
	if h := c.reply(t).Header; h.Get("X-Upgrader") != "yes" || h.Get("Sec-WebSocket-Protocol") != "two" {
		t.Errorf("%v", h)
	}
	receive(t, s.opened)
	c = connect(t, s)
	send(t, c, good("X-Refuse: pay first")+"\r\n")
	reply := c.reply(t)
	if body, _ := io.ReadAll(reply.Body); reply.StatusCode != 402 || !strings.Contains(string(body), "pay first") {
		t.Errorf("%d %q", reply.StatusCode, body)
	}
	for range 2 {
		if host := receive(t, hosts); host != "example.com" {
			t.Errorf("host %q", host)
		}
	}
}

// TestValidate: a server whose options can't be is not made.
func TestValidate(t *testing.T) {
	for name, p := range map[string]*websocket.Protocol{
		"MessageLimit":     websocket.New(nil, websocket.MessageLimit(-1)),
		"HeadLimit":        websocket.New(nil, websocket.HeadLimit(0)),
		"HandshakeTimeout": websocket.New(nil, websocket.HandshakeTimeout(0)),
		"KeepAlive":        websocket.New(nil, websocket.KeepAlive(time.Second, 0)),
		"CloseTimeout":     websocket.New(nil, websocket.CloseTimeout(-1)),
		"MessageTimeout":   websocket.New(nil, websocket.MessageTimeout(time.Second, 0)),
		"MessageTimeout ":  websocket.New(nil, websocket.MessageTimeout(-1, 1)),
		"InflateAside":     websocket.New(nil, websocket.InflateAside(1, 0)),
		"Subprotocols":     websocket.New(nil, websocket.Subprotocols("a b")),
		"Subprotocols:":    websocket.New(nil, websocket.Subprotocols("a", "a")),
		"Origins":          websocket.New(nil, websocket.Origins("example.com")),
		"Fallback":         websocket.New(nil, websocket.Fallback(func(*http1.Response, *http1.Request) {}, http1.MaxBody(-1))),
		"SlowSubscribers":  websocket.New(nil, websocket.SlowSubscribers(7, 0)),
		"PublishLimit":     websocket.New(nil, websocket.PublishLimit(0)),
		"Upgrader":         websocket.New(&ws.Upgrader{Negotiate: negotiateNothing}),
		"with New":         {}, // the zero value
	} {
		_, err := weir.NewServer(websocket.Wrap(websocket.Base{}), weir.Address("127.0.0.1:0"), weir.CustomProtocol(p))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestForeignProtocol: a server with another Protocol closes what connects.
func TestForeignProtocol(t *testing.T) {
	s, err := weir.NewServer(websocket.Wrap(websocket.Base{}), weir.Address("127.0.0.1:0"), weir.NumLoops(1))
	fail(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Start() }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := websocket.Dial(ctx, "ws://"+s.Addrs()[0].String(), nil); err == nil {
		t.Error("Dial succeeded")
	}
	fail(t, s.Stop())
	fail(t, <-done)
}

func negotiateNothing(o httphead.Option) (httphead.Option, error) { return httphead.Option{}, nil }
