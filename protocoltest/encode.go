package protocoltest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-weir/weir"
)

// roundTrips checks each value, and all of them as one stream.
func (x *Tester) roundTrips(trips []RoundTrip) error {
	var all Stream
	for i, r := range trips {
		wire, err := x.encode(r.Data)
		if err == nil {
			err = x.stream(Stream{Bytes: wire, Messages: []Message{r.Message}})
		}
		if err != nil {
			return fmt.Errorf("%s: %w", title("value", r.Name, i), err)
		}
		all.Bytes = append(all.Bytes, wire...)
		all.Messages = append(all.Messages, r.Message)
	}
	return x.stream(all)
}

// encode returns the bytes of data, after it has looked that Packet and
// AppendPacket agree on them and leave alone what isn't theirs.
func (x *Tester) encode(data any) (wire []byte, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	onLoop := x.onLoop(func(c *weir.Connection) {
		given := fmt.Append(nil, data)
		wire = bytes.Clone(x.spec.Protocol.Packet(c, data))
		if again := x.spec.Protocol.Packet(c, data); !bytes.Equal(again, wire) {
			err = fmt.Errorf("the first time Packet returns %s, the second time %s", clip(wire), clip(again))
		}
		if appender, ok := x.spec.Protocol.(weir.PacketAppender); ok && err == nil {
			err = appends(appender, c, data, wire)
		}
		if !bytes.Equal(fmt.Append(nil, data), given) {
			err = errors.New("the data to send was changed")
		}
	})
	if x.stuck != nil {
		return nil, onLoop // the rest is the loop's still
	}
	return wire, errors.Join(onLoop, err)
}

// appends checks AppendPacket, with a dst of every kind.
func appends(a weir.PacketAppender, c *weir.Connection, data any, wire []byte) error {
	const head = "what is there already"
	for _, room := range []int{0, 1, len(wire), len(wire) + 100} {
		dst := append(make([]byte, 0, len(head)+room), head...)
		spare := dst[len(dst):cap(dst)]
		fill(spare)
		got := a.AppendPacket(dst, c, data)
		if !bytes.HasPrefix(got, []byte(head)) {
			return fmt.Errorf("AppendPacket returns %s, without what was there before", clip(got))
		}
		if got = got[len(head):]; !bytes.Equal(got, wire) {
			return fmt.Errorf("AppendPacket appends %s, Packet returns %s", clip(got), clip(wire))
		}
		fill(dst[:cap(dst)]) // the next call must not miss it
	}
	return nil
}

// onLoop runs f on the loop of a connection of its own, after the Prelude, and
// returns why the connection was closed, if it was.
func (x *Tester) onLoop(f func(c *weir.Connection)) error {
	l, err := x.dial()
	if err != nil {
		return err
	}
	first, closed := feeder{x: x, conn: l.conn}, false
	err = l.conn.Execute(func() {
		first.prelude()
		f(l.conn)
		closed = !l.conn.Connected()
		_ = l.conn.Close() // an error means that it is closed already
	})
	if err != nil {
		return x.giveUp(l, fmt.Errorf("a new connection: %w", err))
	}
	_, err = x.hangUp(l)
	if x.stuck != nil {
		return err // first is the loop's still
	}
	err = errors.Join(panicked(l.conn.Err()), first.err, err)
	if err == nil && closed {
		err = fmt.Errorf("the connection was closed: %w", l.conn.Err())
	}
	return err
}
