//go:build unix

package weir_test

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestStoppedProcess: a process that was stopped, by SIGSTOP, a debugger or a suspended
// machine, finds input of those who went on talking to it, and does not call them idle.
func TestStoppedProcess(t *testing.T) {
	const crowd = 40
	server := startChild(t, "stopped")
	var addr string
	server.hear(&addr)
	var peers []*net.TCPConn
	for range crowd {
		c := dialTo(t, addr)
		send(t, c, "before")
		expect(t, c, "before")
		peers = append(peers, c)
	}
	signal := func(s syscall.Signal) {
		if err := server.process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	defer signal(syscall.SIGCONT)                     // so that it can end, whatever happens
	<-time.After(stoppedIdleTime + stoppedIdleTime/2) // the time that it misses
	for _, c := range peers {
		send(t, c, "after")
	}
	signal(syscall.SIGCONT)
	for i, c := range peers {
		got := make([]byte, 5)
		if n, err := c.Read(got); err != nil {
			t.Fatalf("connection %d: %d bytes, %v", i, n, err)
		}
	}
}
