//go:build unix

package weir_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// limitDescriptors lets this process open descriptors below n only.
func limitDescriptors(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	assign(&limit.Cur, n)
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// assign is for a field whose type is another one on each system.
func assign[T int64 | uint64](field *T, n int) { *field = T(n) }

// cpuTime is the processor time that this process has used.
func cpuTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
