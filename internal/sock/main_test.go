//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sock_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain fails the package if a test leaves a goroutine or a descriptor.
func TestMain(m *testing.M) {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // the runtime's own poller keeps descriptors
		_ = ln.Close() // only for its effect
	}
	before := descriptors()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines left over:", err)
			code = 1
		}
		if after := descriptors(); after > before {
			fmt.Fprintf(os.Stderr, "%d descriptors before, %d after\n", before, after)
			code = 1
		}
	}
	os.Exit(code)
}

// descriptors counts on every Unix, as /proc/self/fd would on one.
func descriptors() int {
	n := 0
	for fd := range uintptr(1024) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}
