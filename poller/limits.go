//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package poller

import (
	"math"
	"time"
)

// reservedToken marks the wake-up descriptor where the mechanism reports tokens. Every backend refuses it, so that a
// program does not come to depend on the one that need not.
const reservedToken uint64 = math.MaxUint64

// maxTimeout is the most that epoll_pwait(2) can take, an int of milliseconds. It is also far below where a kernel of
// the BSDs would call a timespec invalid.
const maxTimeout = math.MaxInt32 * time.Millisecond

// valid reports whether a backend may register with token and want.
func valid(token uint64, want Interest) bool {
	return token != reservedToken && want&^(Read|Write) == 0
}
