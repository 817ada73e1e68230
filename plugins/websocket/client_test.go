package websocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestClientWriteAfterTimeout: a message that a deadline has cut is the last of the
// stream, not the beginning of the next one.
func TestClientWriteAfterTimeout(t *testing.T) {
	s := start(t, &handler{open: func(c *websocket.Conn) { c.PauseRead() }})
	c, conn := pair(t, s, nil)
	fail(t, c.NetConn().SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	if err := c.Write(codec.Binary, make([]byte, 15<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("a message that nobody reads: %v", err)
	}
	fail(t, c.NetConn().SetWriteDeadline(time.Time{}))
	conn.ResumeRead()
	for range 2 {
		if err := c.Write(codec.Text, []byte("next")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the next message: %v", err)
		}
	}
	if err := c.Close(1000, ""); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Close: %v", err)
	}
	fail(t, c.CloseNow())
	expectEnd(t, s, websocket.AbnormalClosure, io.EOF)
	if n := s.protocol.Stats().MessagesIn; n != 0 {
		t.Errorf("%d messages were made of a cut one", n)
	}
}

// TestClientReadEnds: how a stream has ended can be told.
func TestClientReadEnds(t *testing.T) {
	frame := func(k codec.Kind, f codec.Flags, p string) string {
		return string(codec.AppendFrame(nil, k, f, []byte(p)))
	}
	for name, tt := range map[string]struct {
		stream   string
		messages int
		code     websocket.Code // of a CloseError; 0: it is none
		is       error
	}{
		"at once":                       {"", 0, websocket.AbnormalClosure, io.ErrUnexpectedEOF},
		"behind a message":              {frame(codec.Text, 0, "x"), 1, websocket.AbnormalClosure, io.ErrUnexpectedEOF},
		"behind a ping":                 {frame(codec.Ping, 0, "x"), 0, websocket.AbnormalClosure, io.ErrUnexpectedEOF},
		"within a header":               {frame(codec.Text, 0, "x") + "\x81", 1, 0, io.ErrUnexpectedEOF},
		"within a payload":              {"\x81\x05hell", 0, 0, io.ErrUnexpectedEOF},
		"within a ping":                 {"\x89\x05hell", 0, 0, io.ErrUnexpectedEOF},
		"behind the payload's header":   {"\x81\x05", 0, 0, io.ErrUnexpectedEOF},
		"within a message":              {frame(codec.Text, codec.More, "x"), 0, 0, io.ErrUnexpectedEOF},
		"within a message, at a ping":   {frame(codec.Text, codec.More, "x") + frame(codec.Ping, 0, ""), 0, 0, io.ErrUnexpectedEOF},
		"closed":                        {frame(codec.Text, 0, "x") + frame(codec.Close, 0, "\x03\xe8"), 1, 1000, io.EOF},
		"closed without a code":         {frame(codec.Close, 0, ""), 0, websocket.NoStatus, io.EOF},
		"closed within a message":       {frame(codec.Text, codec.More, "x") + frame(codec.Close, 0, "\x0f\xa0why"), 0, 4000, io.EOF},
		"closed, and something follows": {frame(codec.Close, 0, "\x03\xe9") + "\x81", 0, 1001, io.EOF},
		"wrong":                         {frame(codec.Text, 0, "x") + "\xff\xff", 1, 0, codec.ErrReservedBits},
	} {
		c, err := dialAnswer(t, &websocket.DialOptions{}, switching+tt.stream)
		fail(t, err)
		messages := 0
		for err == nil {
			if _, _, err = c.Read(); err == nil {
				messages++
			}
		}
		var closed *websocket.CloseError
		code := websocket.Code(0)
		if errors.As(err, &closed) {
			code = closed.Code
		}
		if messages != tt.messages || code != tt.code || !errors.Is(err, tt.is) {
			t.Errorf("%s: %d messages, then %v", name, messages, err)
		}
		for _, other := range []error{io.EOF, io.ErrUnexpectedEOF} {
			if errors.Is(err, other) && !errors.Is(tt.is, other) {
				t.Errorf("%s: %v is %v, too", name, err, other)
			}
		}
		if _, _, again := c.Read(); !errors.Is(again, err) && again != err { //nolint:errorlint // the very same
			t.Errorf("%s: %v, then %v", name, err, again)
		}
	}
}

// TestClientReadMessageEnds: behind the close frame that ReadMessage returns, the end of
// the stream is as it should be.
func TestClientReadMessageEnds(t *testing.T) {
	c, err := dialAnswer(t, &websocket.DialOptions{}, switching+"\x88\x02\x03\xe8")
	fail(t, err)
	m, err := c.ReadMessage()
	if err != nil || m.Kind != codec.Close || m.Code != 1000 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := c.ReadMessage(); err != io.EOF { //nolint:errorlint // the very same
		t.Errorf("behind the close frame: %v", err)
	}
}

// TestClientReadsOn: a server that reads nothing until what it writes is read, its pings
// and a close frame included, does not stop a client that is in the middle of a Write.
func TestClientReadsOn(t *testing.T) {
	near, far := net.Pipe() // which takes nothing that is not read
	go func() {
		buf := make([]byte, 4096)
		n, _ := far.Read(buf) // one read is all of a request
		_, key, _ := strings.Cut(string(buf[:n]), "Sec-Websocket-Key: ")
		stream := strings.ReplaceAll(switching, "{}", acceptFor(key[:24]))
		for _, k := range []codec.Kind{codec.Ping, codec.Binary, codec.Ping, codec.Ping, codec.Binary, codec.Close} {
			stream += string(codec.AppendFrame(nil, k, 0, []byte("\x03\xe8")))
		}
		_, _ = io.WriteString(far, stream) // an error shows in what the client reads
	}()
	c, err := websocket.Dial(t.Context(), "ws://example.com/", &websocket.DialOptions{
		NetDial: func(context.Context, string, string) (net.Conn, error) { return near, nil },
	})
	fail(t, err)
	written := make(chan error, 1)
	go func() { written <- c.Write(codec.Binary, make([]byte, 1<<10)) }()
	read := make(chan error, 1)
	go func() {
		messages := 0
		for {
			_, _, err := c.Read()
			if err != nil {
				if messages != 2 {
					t.Errorf("%d messages", messages)
				}
				read <- err
				return
			}
			messages++
		}
	}()
	var closed *websocket.CloseError
	if err := receive(t, read); !errors.As(err, &closed) {
		t.Error(err)
	}
	fail(t, far.Close())
	if err := receive(t, written); err == nil {
		t.Error("the message was written")
	}
}
