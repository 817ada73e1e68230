package weir_test

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/go-weir/weir"
)

// needIPv6 skips a test where the machine has no IPv6.
func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6:", err)
	}
	_ = ln.Close() // only for its effect
}

// TestAddresses: a server listens on all its addresses, and each connection
// knows on which it came.
func TestAddresses(t *testing.T) {
	needIPv6(t)
	for _, loops := range []int{1, 2} {
		for _, reuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("loops=%d,reuseport=%v", loops, reuse), func(t *testing.T) {
				connected := make(chan *weir.Connection, 1)
				s := start(t, &handler{
					connect: func(c *weir.Connection) { connected <- c },
					message: echo,
				}, weir.Address("127.0.0.1:0", "tcp6://[::1]:0", "tcp4://127.0.0.1:0", "localhost:0"),
					weir.NumLoops(loops), weir.ListenerPerLoop(reuse))
				addrs := s.Addrs()
				if len(addrs) != 4 {
					t.Fatalf("listens on %v", addrs)
				}
				seen := make(map[string]bool)
				for i, ip := range []string{"127.0.0.1", "::1", "127.0.0.1"} {
					if got := addrs[i].(*net.TCPAddr); got.IP.String() != ip || got.Port == 0 {
						t.Errorf("address %d is %v, want %s", i, got, ip)
					}
				}
				for _, addr := range addrs {
					if seen[addr.String()] {
						t.Errorf("%v is there twice", addr)
					}
					seen[addr.String()] = true
					for range 4 { // ReusePort: any of the loops
						peer := dialTo(t, addr.String())
						send(t, peer, "hello")
						expect(t, peer, "hello")
						c := receive(t, connected)
						if c.LocalAddr().String() != addr.String() || c.PeerAddr() != peer.LocalAddr().String() {
							t.Errorf("%v connected to %v, the server says %v to %v", peer.LocalAddr(), addr, c.PeerAddr(), c.LocalAddr())
						}
					}
				}
			})
		}
	}
}

// TestDualStack: on all addresses of both IP versions an IPv4 client is one,
// and not one of IPv6 in disguise.
func TestDualStack(t *testing.T) {
	needIPv6(t)
	connected, ended := make(chan *weir.Connection, 1), make(chan *weir.Connection, 1)
	s := start(t, &handler{
		connect: func(c *weir.Connection) { connected <- c },
		message: echo,
		close:   func(c *weir.Connection) { ended <- c },
	}, weir.Address(":0"))
	listening := s.Addrs()[0].(*net.TCPAddr)
	if !listening.IP.IsUnspecified() || listening.Port == 0 {
		t.Errorf("listens on %v", listening)
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		addr := net.JoinHostPort(host, fmt.Sprint(listening.Port))
		peer := dialTo(t, addr)
		send(t, peer, "hello")
		expect(t, peer, "hello")
		c := receive(t, connected)
		if want := peer.LocalAddr().String(); c.PeerAddr() != want || c.RemoteAddr().String() != want {
			t.Errorf("PeerAddr is %s, RemoteAddr %v, want %s", c.PeerAddr(), c.RemoteAddr(), want)
		}
		if ap, err := netip.ParseAddrPort(c.PeerAddr()); err != nil || ap.Addr() != netip.MustParseAddr(host) {
			t.Errorf("PeerAddr %s is read as %v, %v", c.PeerAddr(), ap, err)
		}
		if c.LocalAddr().String() != addr {
			t.Errorf("LocalAddr is %v, want %s", c.LocalAddr(), addr)
		}
		if err := peer.Close(); err != nil {
			t.Fatal(err)
		}
		receive(t, ended)
		if c.PeerAddr() != peer.LocalAddr().String() || c.LocalAddr().String() != listening.String() {
			t.Errorf("after the end PeerAddr is %s, LocalAddr %v", c.PeerAddr(), c.LocalAddr())
		}
	}
}

// TestNetwork: "tcp4" and "tcp6" leave the other one alone.
func TestNetwork(t *testing.T) {
	needIPv6(t)
	for network, hosts := range map[string]struct{ there, not string }{
		"tcp4": {"127.0.0.1", "::1"},
		"tcp6": {"::1", "127.0.0.1"},
	} {
		s := start(t, &handler{message: echo}, weir.Network(network), weir.Address(":0"))
		port := fmt.Sprint(s.Addrs()[0].(*net.TCPAddr).Port)
		peer := dialTo(t, net.JoinHostPort(hosts.there, port))
		send(t, peer, "hello")
		expect(t, peer, "hello")
		if c, err := net.Dial("tcp", net.JoinHostPort(hosts.not, port)); err == nil {
			t.Errorf("%s listens on %v", network, c.RemoteAddr())
			_ = c.Close() // it shouldn't be there
		}
	}
}
