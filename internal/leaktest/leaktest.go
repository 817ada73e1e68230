// Package leaktest is for the TestMain of packages whose tests must leave
// nothing behind.
package leaktest

import (
	"fmt"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Run runs the tests and returns the exit code for os.Exit: 1 also if they left
// a goroutine or a descriptor.
func Run(m *testing.M) int {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // the runtime's own poller keeps descriptors
		_ = ln.Close() // only for its effect
	}
	before := Descriptors()
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines left over:", err)
		return 1
	}
	if after := Descriptors(); after > before {
		fmt.Fprintf(os.Stderr, "%d descriptors before, %d after\n", before, after)
		return 1
	}
	return 0
}
