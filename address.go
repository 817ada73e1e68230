package weir

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// endpoint is an address to listen on.
type endpoint struct{ network, address string }

// endpoints are the addresses of the options, each with its network.
func (o *Options) endpoints() ([]endpoint, error) {
	var list []endpoint
	for _, a := range append([]string{o.Address}, o.MoreAddresses...) {
		e := endpoint{o.Network, a}
		if network, rest, ok := strings.Cut(a, "://"); ok {
			e = endpoint{network, rest}
		}
		if !slices.Contains([]string{"tcp", "tcp4", "tcp6"}, e.network) {
			return nil, &OptionError{"Network", fmt.Sprintf("is %q, must be tcp, tcp4 or tcp6", e.network)}
		}
		if _, _, err := net.SplitHostPort(e.address); err != nil {
			return nil, &OptionError{"Address", err.Error()}
		}
		list = append(list, e)
	}
	return list, nil
}
