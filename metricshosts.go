package weir

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// MetricsHosts adds names that requests to the MetricsServer may be for: the Host of the
// URL, without its port. Without it these are
//
//   - every IP address: what Prometheus asks for where it finds targets by itself, and
//     what health checks ask for as a rule,
//   - localhost and names that end in .localhost,
//   - the host in the address of the MetricsServer.
//
// Others are answered 403 Forbidden, but at /healthz and /readyz. A page of another site
// can have its own name resolve to the MetricsServer (DNS rebinding), and could then read
// it through the browser of somebody who can reach it, at localhost or behind a
// firewall; its Host gives it away. So where Prometheus asks by name, that name is to be
// given here: "app" in a compose file, "app.default.svc" in Kubernetes, what a proxy in
// front passes on. A name that begins with "*." stands for all that end with the rest; "*"
// is any name at all, and turns the check off.
func MetricsHosts(names ...string) Option {
	return func(o *Options) { o.MetricsHosts = names }
}

// checkHost reports why a name can't be one of MetricsHosts.
func checkHost(name string) error {
	rest := strings.TrimPrefix(name, "*.")
	if name != "*" && (rest == "" || strings.ContainsAny(rest, " \t\r\n/:*@[]?#") || strings.HasPrefix(rest, ".")) {
		return fmt.Errorf("has %q, want a name without scheme, port or path", name)
	}
	return nil
}

// hosts are the names that the MetricsServer answers to, in lower case.
type hosts []string

// hostsOf are the names in the options.
func hostsOf(o *Options) hosts {
	var all hosts
	for _, name := range o.MetricsHosts {
		all = append(all, canonicalHost(name))
	}
	if host, _, err := net.SplitHostPort(o.MetricsAddress); err == nil && host != "" {
		all = append(all, canonicalHost(host))
	}
	return all
}

// canonicalHost is a name as it is compared.
func canonicalHost(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// allow reports whether a request may be for this Host, as it stands in the request. A
// request without one comes from no browser.
func (h hosts) allow(host string) bool {
	if host == "" {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = canonicalHost(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	for _, name := range h {
		rest, pattern := strings.CutPrefix(name, "*")
		if name == host || pattern && strings.HasSuffix(host, rest) {
			return true
		}
	}
	return false
}

// guard puts the check of Host in front of the pages. Health checks have it left out:
// they say nothing that others may not know, and ask by whatever name.
func (h hosts) guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && !h.allow(r.Host) {
			http.Error(w, fmt.Sprintf("%q is none of the names of this metrics server, which its option MetricsHosts adds to", r.Host), http.StatusForbidden)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
