package load

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-weir/weir/poller"
)

// frameBlock is about as much as is handed to one write(2).
const frameBlock = 64 << 10

// stream sends frames as fast as the server takes them, and measures between two counts that the server sends.
func (g *generator) stream() (*Result, error) {
	s := &streamer{generator: g, c: &g.conns[0]}
	s.block, s.perBlock = Frames(len(g.cfg.Exchange.Request), frameBlock)
	first, before, err := s.mark(g.cfg.Warmup)
	if err != nil {
		return nil, err
	}
	last, after, err := s.mark(g.cfg.Duration)
	if err != nil {
		return nil, err
	}
	r := &Result{Messages: last - first}
	r.between(g.cfg, before, after)
	return r, nil
}

type streamer struct {
	*generator
	c        *conn
	block    []byte
	perBlock int
	sent     uint64 // frames
	count    []byte // received so far of the server's count
}

// mark sends frames for a while, asks for the count, and reads the meters when it comes.
func (s *streamer) mark(d time.Duration) (uint64, meter, error) {
	end := s.now() + d
	for s.now() < end {
		if err := s.send(s.block); err != nil {
			return 0, meter{}, err
		}
		s.sent += uint64(s.perBlock)
	}
	if err := s.send(make([]byte, FrameHeader)); err != nil {
		return 0, meter{}, err
	}
	s.count = s.count[:0]
	for len(s.count) < CountSize {
		if err := s.await(poller.Read); err != nil {
			return 0, meter{}, err
		}
		n, err := read(s.c.fd, s.in)
		if err != nil {
			return 0, meter{}, err
		}
		s.count = append(s.count, s.in[:n]...)
	}
	m, err := s.cfg.readMeter()
	if err != nil {
		return 0, meter{}, err
	}
	n := binary.BigEndian.Uint64(s.count)
	if n != s.sent || len(s.count) > CountSize {
		return 0, meter{}, fmt.Errorf("the server counted %d frames of %d", n, s.sent)
	}
	return n, m, nil
}

// send sends all of p.
func (s *streamer) send(p []byte) error {
	for len(p) > 0 {
		n, err := write(s.c.fd, p)
		if err != nil {
			return err
		}
		if p = p[n:]; len(p) > 0 {
			if err := s.await(poller.Write); err != nil {
				return err
			}
		}
	}
	return nil
}

// await waits until one thing is possible.
func (s *streamer) await(i poller.Interest) error {
	if err := s.want(s.c, i); err != nil {
		return err
	}
	for waited := time.Duration(0); waited < silence; waited += 100 * time.Millisecond {
		n, err := s.poll.Wait(s.events, 0)
		if n == 0 && err == nil {
			n, err = s.poll.Wait(s.events, 100*time.Millisecond)
		}
		switch {
		case n > 0 || err != nil:
			return err
		case s.stopped.Load():
			return context.Canceled
		}
	}
	return fmt.Errorf("the server has not answered for %v", silence)
}
