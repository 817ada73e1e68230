package sock

import "golang.org/x/sys/unix"

// macOS calls the idle time TCP_KEEPALIVE.
const (
	keepIdle     = unix.TCP_KEEPALIVE
	keepInterval = unix.TCP_KEEPINTVL
)
