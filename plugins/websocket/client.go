package websocket

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// Client is a WebSocket connection to a server, on a blocking net.Conn and without a
// loop: for tools and tests. One goroutine reads; any may write.
type Client struct {
	// set once
	conn        net.Conn
	reader      *bufio.Reader
	deflate     *codec.Compression
	subprotocol string

	// by the goroutine that reads
	decoder codec.Decoder
	buf     []byte
	rest    []byte // of buf: read and not decoded
	ended   bool   // the server's close frame has come
	err     error

	// guarded by mu
	mu     sync.Mutex
	out    []byte
	closed bool  // a close frame was sent
	broken error // of a write, which may have cut a frame: nothing can follow it

	// guarded by answerMu
	answerMu  sync.Mutex
	pong      []byte // of the last ping, yet to be sent
	answering bool   // a goroutine is there to send pong
}

// Subprotocol is the one that was agreed on, empty if none was.
func (c *Client) Subprotocol() string { return c.subprotocol }

// Compressed reports whether permessage-deflate was agreed on.
func (c *Client) Compressed() bool { return c.deflate != nil }

// NetConn is the connection below, for deadlines. Reading or writing there breaks the
// protocol.
func (c *Client) NetConn() net.Conn { return c.conn }

// Read waits for the next Text or Binary message. Pings are answered meanwhile, of
// several perhaps only the last one: Read goes on while the server does not take what is
// written. data is valid until the next Read. A close frame is answered, and is the
// error, a *CloseError; what the server does wrong is a *codec.Error, and answered with a
// close frame, too. A stream that ends within a frame or a message is io.ErrUnexpectedEOF, and
// one that ends between two a *CloseError with AbnormalClosure. After an error every
// Read returns it.
func (c *Client) Read() (kind Kind, data []byte, err error) {
	for c.err == nil {
		m, err := c.ReadMessage()
		if err != nil {
			return 0, nil, err
		}
		switch m.Kind {
		case codec.Ping:
			c.answer(m.Data)
		case codec.Close:
			c.answerClose(m.Code, "")
			c.err = &CloseError{m.Code, string(m.Data)}
		case Text, Binary:
			return m.Kind, m.Data, nil
		}
	}
	return 0, nil, c.err
}

// ReadMessage is Read without the answers: it returns control frames as well. Behind a
// close frame, the end of the stream is io.EOF.
func (c *Client) ReadMessage() (codec.Message, error) {
	for c.err == nil {
		m, n, err := c.decoder.Next(c.rest)
		c.rest = c.rest[n:]
		switch {
		case err != nil:
			c.fail(err)
		case m.Kind == 0:
			c.fill()
		case m.Compressed:
			if m.Data, err = c.deflate.Inflate(nil, m); err != nil {
				c.fail(err)
				continue
			}
			m.Compressed = false
			return m, nil
		default:
			c.ended = c.ended || m.Kind == codec.Close
			return m, nil
		}
	}
	return codec.Message{}, c.err
}

// fail ends reading because of what the server has sent.
func (c *Client) fail(err error) {
	var broken *codec.Error
	if errors.As(err, &broken) {
		c.answerClose(broken.Code, broken.Reason)
	}
	c.err = err
}

// answer has a ping answered by a goroutine. A server may read nothing until what it
// writes is read: if Read waited for its turn to write, or for room, all would wait.
func (c *Client) answer(p []byte) {
	c.answerMu.Lock()
	defer c.answerMu.Unlock()
	c.pong = append([]byte{}, p...)
	if !c.answering {
		c.answering = true
		go c.sendPongs()
	}
}

// sendPongs sends what answer has left, until there is nothing.
func (c *Client) sendPongs() {
	for p := c.nextPong(); p != nil; p = c.nextPong() {
		_ = c.Write(codec.Pong, p) // the next read will fail, too
	}
}

func (c *Client) nextPong() []byte {
	c.answerMu.Lock()
	defer c.answerMu.Unlock()
	p := c.pong
	c.pong, c.answering = nil, p != nil
	return p
}

// answerTime is how long Read waits at most until its close frame is with the system.
const answerTime = time.Second

// answerClose sends a close frame, in its turn.
func (c *Client) answerClose(code Code, reason string) {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_ = c.Close(code, reason) // the reader is told why it ends
	}()
	select {
	case <-sent:
	case <-time.After(answerTime):
	}
}

// fill reads more.
func (c *Client) fill() {
	if c.buf == nil {
		c.buf = make([]byte, 16<<10)
	}
	n, err := c.reader.Read(c.buf)
	if c.rest = c.buf[:n]; n > 0 || err == nil {
		return
	}
	switch {
	case !errors.Is(err, io.EOF) || c.ended:
		c.err = err
	case c.decoder.Partial():
		c.err = io.ErrUnexpectedEOF
	default:
		c.err = &CloseError{Code: AbnormalClosure}
	}
}

// Write sends a message, and waits until the system has it. kind may be Ping or Pong,
// for up to 125 bytes. p is left as it is. After Close it returns net.ErrClosed. Any
// other error, that of a deadline included, may have cut the message, so it ends writing:
// every Write and Close returns it from then on.
func (c *Client) Write(kind Kind, p []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	return c.write(kind, p)
}

func (c *Client) write(kind Kind, p []byte) error {
	if c.broken != nil {
		return c.broken
	}
	var key [4]byte
	_, _ = rand.Read(key[:]) // never fails
	if c.deflate != nil && !kind.Control() {
		c.out = c.deflate.AppendMasked(c.out[:0], kind, key, p)
	} else {
		c.out = codec.AppendMasked(c.out[:0], kind, 0, key, p)
	}
	_, c.broken = c.conn.Write(c.out)
	c.out = trim(c.out)
	return c.broken
}

// Close sends a close frame, once. Read goes on until the server's comes.
func (c *Client) Close(code Code, reason string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close(code, reason)
}

func (c *Client) close(code Code, reason string) error {
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	return c.write(codec.Close, codec.AppendClose(nil, code, reason))
}

// CloseNow closes the connection below. A Read that waits returns.
func (c *Client) CloseNow() error { return c.conn.Close() }
