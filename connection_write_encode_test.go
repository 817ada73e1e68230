package weir_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-weir/weir"
)

// prefacing encodes a message as it is, except that it first writes a preface of its
// own to the connection for one that ends with a "!".
type prefacing struct {
	*weir.DefaultProtocol
	write func(c *weir.Connection) error
}

func (p prefacing) Packet(c *weir.Connection, data any) []byte {
	message := data.(string)
	if strings.HasSuffix(message, "!") {
		if err := p.write(c); err != nil {
			panic(err)
		}
	}
	return []byte(message)
}

// prefacingAppender does the same with AppendPacket: the preface in the middle of it.
type prefacingAppender struct{ prefacing }

func (p prefacingAppender) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	message := data.(string)
	half := len(message) / 2
	dst = append(dst, message[:half]...)
	p.Packet(c, data)
	return append(dst, message[half:]...)
}

// TestWriteWhileEncoding: what a Protocol writes to the connection while it encodes a
// message goes out before that message and after all that was written earlier, and what
// it sends goes out after it; however the message came to be encoded.
func TestWriteWhileEncoding(t *testing.T) {
	large := strings.Repeat("large ", 20_000) // more than the loop's write buffer
	early := strings.Repeat("early ", 5_000)
	prefaces := []struct {
		name          string
		write         func(c *weir.Connection) error
		before, after string
	}{
		{"Write", func(c *weir.Connection) error { _, err := c.Write([]byte("<preface>")); return err }, "<preface>", ""},
		{"Write of as much as there was", func(c *weir.Connection) error { _, err := c.Write([]byte(early)); return err }, early, ""},
		{"large Write", func(c *weir.Connection) error { _, err := c.Write([]byte(large)); return err }, large, ""},
		{"WriteFrame", func(c *weir.Connection) error { return c.WriteFrame([]byte("<pre"), []byte("face>")) }, "<preface>", ""},
		{"WritePacket", func(c *weir.Connection) error { return c.WritePacket("<preface>") }, "<preface>", ""},
		{"two", func(c *weir.Connection) error {
			_, err := c.Write([]byte("<pre"))
			return errors.Join(err, c.WritePacket("face>"))
		}, "<preface>", ""},
		{"Send", func(c *weir.Connection) error { return c.Send("<postscript>") }, "", "<postscript>"},
	}
	for _, tt := range []struct {
		name           string
		run            func(c *weir.Connection) any // on the loop
		before, behind string
	}{
		{"reply", func(*weir.Connection) any { return "message!" }, "", ""},
		{"reply behind a Write", func(c *weir.Connection) any {
			_, err := c.Write([]byte(early))
			fail(t, err)
			return "message!"
		}, early, ""},
		{"WritePacket between Writes", func(c *weir.Connection) any {
			_, err := c.Write([]byte(early))
			fail(t, errors.Join(err, c.WritePacket("message!")))
			_, err = c.Write([]byte(" behind"))
			fail(t, err)
			return nil
		}, early, " behind"},
		{"WritePacket behind a queue", func(c *weir.Connection) any {
			_, err := c.Write([]byte(strings.Repeat(large, 60)))
			fail(t, errors.Join(err, c.WritePacket("message!")))
			return nil
		}, strings.Repeat(large, 60), ""},
		{"Send", func(c *weir.Connection) any { fail(t, c.Send("message!")); return nil }, "", ""},
	} {
		for _, preface := range prefaces {
			of := prefacing{write: preface.write}
			for _, protocol := range []weir.Protocol{of, prefacingAppender{of}} {
				t.Run(fmt.Sprintf("%s, %s in %T", tt.name, preface.name, protocol), func(t *testing.T) {
					p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any { return tt.run(c) }},
						weir.CustomProtocol(protocol))
					send(t, p.peer, "x")
					expect(t, p.peer, tt.before+preface.before+"message!")
					rest := tt.behind + preface.after
					expect(t, p.peer, rest)
					fail(t, p.conn.Close())
					expectEnd(t, p.peer)
				})
			}
		}
	}
}

// TestWriteToAnotherWhileEncoding: a Protocol may write to another connection, whose
// Protocol writes to this one in turn.
func TestWriteToAnotherWhileEncoding(t *testing.T) {
	var first, second *weir.Connection
	protocol := prefacingAppender{prefacing{write: func(c *weir.Connection) error {
		if c == first {
			return second.WritePacket("to the second!")
		}
		return first.WritePacket("<preface>")
	}}}
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		_, err := c.Write([]byte("early "))
		fail(t, err)
		return "to the first!"
	}}, weir.CustomProtocol(protocol))
	first = p.conn
	peer := dial(t, p.server)
	second = receive(t, p.begun)
	send(t, p.peer, "x")
	expect(t, p.peer, "early <preface>to the first!")
	expect(t, peer, "to the second!")
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
}

// TestPanicWhileEncoding: what was written before is sent, in its order, and nothing of
// the message; and nobody else gets any of it.
func TestPanicWhileEncoding(t *testing.T) {
	for _, written := range []string{"", "<preface>"} {
		for _, recovered := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q written, recovered %v", written, recovered), func(t *testing.T) {
				protocol := prefacingAppender{prefacing{write: func(c *weir.Connection) error {
					if written != "" {
						_, err := c.Write([]byte(written))
						fail(t, err)
					}
					panic("in AppendPacket")
				}}}
				p := startPair(t, &handler{message: func(c *weir.Connection, _ any, data []byte) any {
					if string(data) == "echo" {
						return string(data)
					}
					_, err := c.Write([]byte("early "))
					fail(t, err)
					defer func() {
						if recovered && recover() != nil {
							_, err := c.Write([]byte("recovered"))
							fail(t, err)
						}
					}()
					return c.WritePacket("message!")
				}}, weir.CustomProtocol(protocol), quiet())
				send(t, p.peer, "x")
				want := "early " + written
				if recovered {
					want += "recovered"
				}
				expect(t, p.peer, want)
				if recovered {
					fail(t, p.conn.Close())
				}
				expectEnd(t, p.peer)
				expectEcho(t, p.server, "echo")
			})
		}
	}
}

// forgetful is a Protocol whose AppendPacket returns nothing where it should return dst.
type forgetful struct{ prefacing }

func (forgetful) AppendPacket([]byte, *weir.Connection, any) []byte { return nil }

// TestAppendPacketReturnsNothing: it takes nothing away of what was written before.
func TestAppendPacketReturnsNothing(t *testing.T) {
	p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
		_, err := c.Write([]byte("early"))
		fail(t, errors.Join(err, c.WritePacket("x")))
		return "y"
	}}, weir.CustomProtocol(forgetful{}))
	send(t, p.peer, "x")
	expect(t, p.peer, "early")
	fail(t, p.conn.Close())
	expectEnd(t, p.peer)
}

// closing is a Protocol during whose Packet another goroutine closes the connection,
// or which closes it itself because it can't encode the message.
type closing struct{ *weir.DefaultProtocol }

func (closing) Packet(c *weir.Connection, data any) []byte {
	if data == nil {
		c.CloseWithError(errInvalid)
		return nil
	}
	closed := make(chan error)
	go func() { closed <- c.Close() }()
	if err := <-closed; err != nil {
		panic(err)
	}
	return []byte(data.(string))
}

type closingAppender struct{ closing }

func (p closingAppender) AppendPacket(dst []byte, c *weir.Connection, data any) []byte {
	return append(dst, p.Packet(c, data)...)
}

// TestWritePacketAndClose: WritePacket returns an error if nothing is sent, and none if
// something is, whoever closes the connection meanwhile.
func TestWritePacketAndClose(t *testing.T) {
	for _, protocol := range []weir.Protocol{closing{}, closingAppender{}} {
		for _, data := range []any{nil, "message"} {
			t.Run(fmt.Sprintf("%T, %v", protocol, data), func(t *testing.T) {
				result := make(chan error, 1)
				p := startPair(t, &handler{message: func(c *weir.Connection, _ any, _ []byte) any {
					result <- c.WritePacket(data)
					return nil
				}}, weir.CustomProtocol(protocol))
				send(t, p.peer, "x")
				if data == nil {
					expectEnd(t, p.peer)
					if err := receive(t, result); !errors.Is(err, weir.ErrConnectionClosed) {
						t.Errorf("WritePacket of what can't be encoded: %v", err)
					}
					return
				}
				expect(t, p.peer, "message")
				expectEnd(t, p.peer)
				fail(t, receive(t, result))
			})
		}
	}
}
