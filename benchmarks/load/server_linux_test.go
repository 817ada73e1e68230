package load

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// testServer counts what it reads and writes.
type testServer struct {
	address     string
	connections atomic.Int64
	in, out     atomic.Int64
}

// serve starts a server on a goroutine for each connection, and ends it with the test.
func serve(t *testing.T, handle func(*testServer, net.Conn)) *testServer {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{address: ln.Addr().String()}
	var running sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() { handle(s, conn) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return s
}

// echoing passes what it reads through change before it sends it back.
func echoing(change func(nth int64, p []byte) []byte) func(*testServer, net.Conn) {
	return func(s *testServer, conn net.Conn) {
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			nth := s.in.Add(int64(n)) - int64(n)
			p := change(nth, buf[:n])
			if _, err := conn.Write(p); err != nil {
				return
			}
			s.out.Add(int64(len(p)))
		}
	}
}

func unchanged(_ int64, p []byte) []byte { return p }

// counting is the server of one-way load; it leaves lose frames out of its count.
func counting(lose uint64) func(*testServer, net.Conn) {
	return func(_ *testServer, conn net.Conn) {
		r := bufio.NewReader(conn)
		header := make([]byte, FrameHeader)
		count := -lose
		for {
			if _, err := io.ReadFull(r, header); err != nil {
				return
			}
			size := int(header[2])<<8 | int(header[3])
			if size == 0 {
				answer := make([]byte, CountSize)
				for i := range answer {
					answer[i] = byte(count >> (8 * (CountSize - 1 - i)))
				}
				if _, err := conn.Write(answer); err != nil {
					return
				}
				continue
			}
			count++
			if _, err := r.Discard(size); err != nil {
				return
			}
		}
	}
}

// pushing sends message to all connections for each byte, except the first of each connection, which it sends back.
func pushing(message []byte) func(*testServer, net.Conn) {
	var mu sync.Mutex
	var all []net.Conn
	return func(_ *testServer, conn net.Conn) {
		b := make([]byte, 1)
		for nth := 0; ; nth++ {
			if _, err := conn.Read(b); err != nil {
				return
			}
			mu.Lock()
			if nth == 0 {
				all = append(all, conn)
				_, _ = conn.Write(b) // the test notices if it is missing
			} else {
				for _, c := range all {
					_, _ = c.Write(message) // the test notices if it is missing
				}
			}
			mu.Unlock()
		}
	}
}
