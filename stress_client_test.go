package weir_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// client connects again and again, and does all that a peer can do.
func (s *stress) client(i uint64, stop <-chan struct{}) {
	r := s.random(100 + i)
	for n := uint64(1); ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		conn, err := net.Dial("tcp", s.server.Addrs()[0].String())
		if err != nil {
			return // the server has stopped
		}
		s.dialed.Add(1)
		_ = conn.SetDeadline(time.Now().Add(patience)) // never fails
		s.visit(conn.(*net.TCPConn), r, i<<32|n)
	}
}

// visit is one connection: what it sends, how that ends, and what it hears meanwhile.
func (s *stress) visit(c *net.TCPConn, r *rand.Rand, number uint64) {
	defer c.Close()
	read, failed := make(chan struct{}), false
	h := new(heard)
	slow := time.Duration(0)
	if r.IntN(4) == 0 {
		slow = time.Duration(r.IntN(2000)) * time.Microsecond
	}
	go func() {
		defer close(read)
		s.listen(c, h, slow)
	}()
	defer func() {
		if failed { // a write that fails takes the socket's error, and a read then finds a good end
			h.eof, h.cut = false, false
		}
		s.mu.Lock()
		s.heard[number] = h
		s.mu.Unlock()
		if h.eof {
			s.ends.Add(1)
		}
	}()
	wire := binary.BigEndian.AppendUint32(nil, 12)
	wire = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(wire, 0), number)
	for n, last := uint32(1), uint32(r.IntN(40)); n <= last; n++ {
		p := s.message(0, n, size(r)) // the server's, with a source
		wire = binary.BigEndian.AppendUint32(wire, uint32(len(p)-5))
		wire = append(wire, p[5:]...)
		if r.IntN(3) > 0 {
			continue // together with the next one
		}
		cut := r.IntN(len(wire) + 1) // the rest with the next one
		if _, err := c.Write(wire[:cut]); err != nil {
			failed = true
			break
		}
		if wire = wire[cut:]; r.IntN(8) == 0 {
			time.Sleep(soonly(r)) // a peer that stalls
		}
	}
	if _, err := c.Write(wire); err != nil {
		failed = true
	}
	switch r.IntN(6) {
	case 0:
		_ = c.SetLinger(0) // a reset
		_ = c.Close()
	case 1:
		_ = c.Close()
	case 2: // the server is to end it, by a limit of its own or because all is over
		select {
		case <-read:
		case <-time.After(10 * soonly(r)):
			_ = c.CloseWrite()
		}
	default:
		_ = c.CloseWrite()
	}
	select {
	case <-read:
	case <-time.After(time.Second): // it may be held, or have lost its idle time
		_ = c.Close()
		<-read
	}
}

// listen reads what the server sends, and checks it, until the end.
func (s *stress) listen(c net.Conn, h *heard, slow time.Duration) {
	b := bufio.NewReaderSize(c, 16<<10)
	for {
		var head [5]byte
		if _, err := io.ReadFull(b, head[:]); err != nil {
			h.eof = errors.Is(err, io.EOF)
			h.cut = errors.Is(err, io.ErrUnexpectedEOF)
			break
		}
		data := make([]byte, binary.BigEndian.Uint32(head[:])-1)
		if _, err := io.ReadFull(b, data); err != nil {
			h.cut = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			break
		}
		source := head[4]
		if int(source) >= sources || !s.right(data, h.counts[source]) {
			s.failf("source %d: message %d is not what was sent", source, h.counts[min(int(source), sources-1)])
			break
		}
		h.counts[source]++
		if slow > 0 {
			time.Sleep(slow)
		}
	}
}
