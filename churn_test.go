package weir_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/internal/leaktest"
)

// addsUp reports whether every connection of a server at rest is accounted
// for.
func addsUp(st *weir.Stats) bool {
	refused := st.Refused.MaxConnections + st.Refused.Descriptors + st.Refused.Other
	return st.Accepted == st.Opened+refused &&
		st.Opened == uint64(st.Open)+st.Closed.Total() &&
		st.Connections == st.Open
}

// TestChurn: connections that end as soon as they are made, in every way that
// a client has, leave nothing behind.
func TestChurn(t *testing.T) {
	const clients, rounds = 16, 1250 // together 20,000 connections
	var connected, closed atomic.Int64
	s := start(t, &handler{
		connect: func(*weir.Connection) { connected.Add(1) },
		message: echo,
		close:   func(*weir.Connection) { closed.Add(1) },
	}, weir.NumLoops(3))
	before := leaktest.Descriptors()
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			for j := range rounds {
				if err := openAndClose(s.Addrs()[0].String(), i*rounds+j); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	eventually(t, "every OnConnect has its OnClose", func() bool {
		return connected.Load() == clients*rounds && closed.Load() == clients*rounds
	})
	eventually(t, "everything is counted", func() bool {
		st := s.Stats()
		return st.Opened == clients*rounds && st.Open == 0 && addsUp(&st)
	})
	if after := leaktest.Descriptors(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	for c := range s.Connections() {
		t.Errorf("%v is still there", c.ID())
	}
}

// openAndClose makes a connection and ends it: mostly with a reset, which
// leaves no port waiting, with bytes on the way or without.
func openAndClose(addr string, n int) error {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	c := nc.(*net.TCPConn)
	if n%2 == 0 {
		if _, err := c.Write([]byte("hello")); err != nil {
			return err
		}
	}
	switch n % 16 {
	case 0:
		return c.Close()
	case 1: // until the server has closed too
		if err := c.CloseWrite(); err != nil {
			return err
		}
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			return fmt.Errorf("read %w, want the end of the stream", err)
		}
		return c.Close()
	}
	if err := c.SetLinger(0); err != nil {
		return err
	}
	return c.Close()
}
