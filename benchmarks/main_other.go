//go:build !linux

// Benchmarks compares weir with its peers. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "the benchmarks need Linux: /proc, sched_setaffinity(2), and epoll(7) for the floor")
	os.Exit(1)
}
