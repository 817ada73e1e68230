//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package poller_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// TestMain fails the package if a test left a goroutine or a descriptor behind.
func TestMain(m *testing.M) {
	startRuntimePoller()
	before := openDescriptors()
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if after := openDescriptors(); after != before {
		fmt.Fprintf(os.Stderr, "%d descriptors open after the tests, %d before\n", after, before)
		code = 1
	}
	os.Exit(code)
}

// startRuntimePoller has the runtime open its own poller's descriptors, which it keeps.
func startRuntimePoller() {
	r, w, err := os.Pipe()
	if err == nil {
		r.Close()
		w.Close()
	}
}

// openDescriptors counts on every Unix, as /proc/self/fd would on one.
func openDescriptors() int {
	n := 0
	for fd := range uintptr(1024) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}
