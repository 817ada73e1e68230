//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package sock

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

// System returns an empty table: package poller has no backend here, so no
// server is ever made that would call through it.
func System() Calls { return Calls{} }

// Listen always fails here.
func Listen(network, address string, _ ListenConfig) (int, *net.TCPAddr, error) {
	return -1, nil, fmt.Errorf("listen %s %s on %s: %w", network, address, runtime.GOOS, errors.ErrUnsupported)
}

// Listening is never true here.
func Listening(int) bool { return false }

// Reserve always fails here.
func Reserve() int { return -1 }
