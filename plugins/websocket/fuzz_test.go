package websocket_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// FuzzHandshake sends a server what is no handshake, as a rule, in two pieces: it must
// answer with HTTP, and with 101 only what net/http, too, takes for one.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte(good()+"\r\n"), 10)
	f.Add([]byte(good("Origin: http://example.com", "Sec-WebSocket-Protocol: a, b", "Cookie: a=b")+"\r\n"), 60)
	f.Add([]byte(good("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; y=\"z\"")+"\r\n"), 100)
	f.Add([]byte(strings.Replace(good(), "GET", "POST", 1)+"\r\n"), 3)
	f.Add([]byte(good()+"\r\n"+wire(codec.Text, 0, "early")), 200)
	f.Add([]byte("GET / HTTP/1.1\nHost: a\n\n"), 1)
	s := start(f, &handler{message: echo})
	f.Fuzz(func(t *testing.T, request []byte, cut int) {
		c := connect(t, s)
		defer c.Close()
		cut = max(min(cut, len(request)), 0)
		_, err := c.Write(request[:cut])
		if err == nil {
			_, err = c.Write(request[cut:])
		}
		if err == nil {
			err = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		_ = err                    // the server may have closed it
		answer, _ := io.ReadAll(c) // as much as comes: it may have been reset
		for len(s.opened) > 0 {
			<-s.opened
		}
		for len(s.ended) > 0 {
			<-s.ended
		}
		switch status := statusOf(answer); {
		case len(answer) == 0:
		case status == 0:
			t.Fatalf("%q is answered %q", request, answer)
		case status == http.StatusSwitchingProtocols:
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
			if err != nil {
				t.Fatalf("%q is accepted; net/http: %v", request, err)
			}
			if r.Method != http.MethodGet || len(r.Header.Values("Sec-Websocket-Key")) != 1 || r.Header.Get("Sec-Websocket-Version") != "13" {
				t.Fatalf("%q is accepted", request)
			}
		}
	})
}

// statusOf is the status of a reply; 0 if it is none.
func statusOf(reply []byte) int {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(reply)), nil)
	if err != nil {
		return 0
	}
	return r.StatusCode
}
