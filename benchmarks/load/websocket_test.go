package load

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// serveWebSocket is an echo server of others.
func serveWebSocket(t *testing.T) (address string) {
	t.Helper()
	ended := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }() // the test has what it wanted
		for {
			kind, data, err := c.ReadMessage()
			if err != nil {
				return // it was the last
			}
			if err := c.WriteMessage(kind, data); err != nil {
				t.Error(err)
			}
		}
	}))
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return s.Listener.Addr().String()
}

// TestFrames has a server of others read what the load sends, and the load expect what that server answers.
func TestFrames(t *testing.T) {
	conn, err := net.Dial("tcp", serveWebSocket(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // it has done its part
	if _, err := io.WriteString(conn, Upgrade); err != nil {
		t.Fatal(err)
	}
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte(UpgradeEnd)); head = append(head, b[0]) {
		if _, err := conn.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101 ") {
		t.Fatalf("it answered %q", head)
	}
	for _, size := range []int{0, 1, 125, 126, 127, 16 << 10, 1<<16 - 1, 1 << 16} {
		payload := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		sent := MaskedFrame(payload)
		if len(sent)-size > MaxFrameHeader {
			t.Errorf("%d bytes: a header of %d", size, len(sent)-size)
		}
		if _, err := conn.Write(sent); err != nil {
			t.Fatal(err)
		}
		want := Frame(payload)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the answer begins with %x, want %x", size, got[:min(len(got), 16)], want[:min(len(want), 16)])
		}
	}
}
