//go:build unix

package main

import (
	"math"
	"syscall"
)

// descriptors is how many this process may have open.
func descriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return math.MaxInt
	}
	return int(min(uint64(l.Cur), math.MaxInt32)) //nolint:unconvert // FreeBSD's is signed
}
