package sock

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// AddrPort is opened to the tests.
func AddrPort(sa *unix.RawSockaddrInet6) netip.AddrPort { return addrPort(sa) }
