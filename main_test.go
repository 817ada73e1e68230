package weir_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the package if a test leaves a goroutine or a descriptor.
func TestMain(m *testing.M) {
	if runAsChild(os.Args[1:]) {
		return
	}
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

// descriptors counts the process's open descriptors, where the system shows them.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
