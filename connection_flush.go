package weir

import (
	"os"
	"syscall"

	"github.com/go-weir/weir/internal/sock"
)

// writeBuffered writes the loop's write buffer, which holds c's output, and keeps with
// c what the system does not take.
func (c *Connection) writeBuffered() {
	l := c.loop
	p := l.out
	if c.direct() {
		p = p[c.tryWrite(p):]
	}
	if len(p) > 0 {
		c.appendOutbound(p)
	}
	l.out = trim(l.out)
}

// flush hands the system what it takes of c's output, as long as it is c's turn.
// Top level of the loop only: those who wait for their bytes to be written are told.
func (c *Connection) flush() {
	for range flushRounds {
		c.flushBuffer()
		if c.out == nil || c.has(flagBlocked|flagDead) {
			return
		}
		if c.loop.turn >= turnBytes {
			break
		}
		c.flushQueue()
	}
	c.flushBuffer()
	if c.out != nil && !c.has(flagBlocked|flagDead) {
		c.resume()
	}
}

// flushBuffer spills what the callback has written, or a function that was told of what
// flushQueue has written. The next connection must not find any of it.
func (c *Connection) flushBuffer() {
	if len(c.loop.out) > 0 && !c.has(flagDead) {
		c.writeBuffered()
	}
}

// flushQueue does one write(2) of one segment, or one writev(2) of several.
func (c *Connection) flushQueue() {
	var n int
	if p := c.out.only(); p != nil {
		n = c.tryWrite(p[:min(len(p), flushBytes)])
	} else {
		n = c.writeVector()
	}
	c.account(-n, 0)
	if c.out.advance(n, c) {
		c.out.release()
		c.out = nil
	}
	c.loop.runDone()
}

// writeVector does one writev(2) of the queue and returns how many bytes the
// system took.
func (c *Connection) writeVector() int {
	l := c.loop
	v := &l.vector
	c.out.gather(v)
	n, errno := l.sys.Writev(int(c.fd), v)
	short := n < v.Size()
	v.Reset()
	c.wrote("writev", n, short, errno)
	return n
}

// tryWrite does one write(2) and returns how many bytes the system took.
func (c *Connection) tryWrite(p []byte) int {
	if len(p) == 0 {
		return 0
	}
	n, errno := c.loop.sys.Write(int(c.fd), p)
	c.wrote("write", n, n < len(p), errno)
	return n
}

// wrote draws the conclusions from a write. One that took less than it was
// given would take nothing now.
func (c *Connection) wrote(call string, n int, short bool, errno syscall.Errno) {
	l := c.loop
	l.stats.Writes++
	if n > 0 {
		l.stats.BytesOut += uint64(n)
		l.turn += n
		if c.has(flagTracked) {
			c.taken(n)
		}
	}
	switch {
	case errno == syscall.EINTR:
		// Made again by flush, at once.
	case sock.Temporary(errno), errno == 0 && short:
		c.blocked()
	case errno != 0:
		c.writeFailed(os.NewSyscallError(call, errno))
	}
}

// trim empties a buffer of the loop, and gives up one that a large message
// made larger than what is worth keeping.
func trim(b []byte) []byte {
	if cap(b) > keptWriteBuffer {
		return nil
	}
	return b[:0]
}
