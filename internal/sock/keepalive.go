//go:build linux || dragonfly || freebsd || netbsd

package sock

import "golang.org/x/sys/unix"

const (
	keepIdle     = unix.TCP_KEEPIDLE
	keepInterval = unix.TCP_KEEPINTVL
)
