package weir_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-weir/weir"
)

// askRaw sends a request to a server's MetricsServer, as it stands, and reads the reply.
func askRaw(t testing.TB, s *weir.Server, wire string) (*http.Response, string) {
	t.Helper()
	c := dialTo(t, s.MetricsAddr().String())
	send(t, c, wire)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestMetricsBody: clients that announce a body, and never send it, keep nobody from
// being answered.
func TestMetricsBody(t *testing.T) {
	s := start(t, &handler{}, metered())
	const clients = 20 // more than may scrape at a time, and more than viewers
	for _, path := range []string{"/metrics", "/", "/live", "/healthz"} {
		for range clients {
			resp, _ := askRaw(t, s, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n")
			if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
				t.Errorf("%s with a body: status %d, close %v", path, resp.StatusCode, resp.Close)
			}
			resp, _ = askRaw(t, s, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
			if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
				t.Errorf("%s with a chunked body: status %d, close %v", path, resp.StatusCode, resp.Close)
			}
		}
		if path == "/live" {
			continue // it has no end
		}
		if status, _ := web(t, s, path); status != http.StatusOK {
			t.Errorf("%s while they wait: status %d", path, status)
		}
	}
}

// TestMetricsHosts: a request is answered if its Host is one that no other site can have.
func TestMetricsHosts(t *testing.T) {
	get := func(s *weir.Server, path, host string) int {
		resp, _ := askRaw(t, s, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
		return resp.StatusCode
	}
	plain := start(t, &handler{}, metered())
	more := start(t, &handler{}, weir.MetricsServer("", "localhost:0"), weir.MetricsHosts("app", "Weir.Default.svc.", "*.example.org"))
	open := start(t, &handler{}, weir.MetricsServer("", "0.0.0.0:0"), weir.MetricsHosts("*"))
	for _, tt := range []struct {
		host              string
		plain, more, open int
	}{
		{"localhost", 200, 200, 200},
		{"LocalHost:9091", 200, 200, 200},
		{"localhost.", 200, 200, 200},
		{"app.localhost:9091", 200, 200, 200},
		{"127.0.0.1:9091", 200, 200, 200},
		{"10.1.2.3:9091", 200, 200, 200},
		{"[::1]:9091", 200, 200, 200},
		{"[fe80::1]", 200, 200, 200},
		{"", 200, 200, 200},
		{"app", 403, 200, 200},
		{"app:9091", 403, 200, 200},
		{"APP.", 403, 200, 200},
		{"weir.default.svc:9091", 403, 200, 200},
		{"a.b.example.org", 403, 200, 200},
		{"example.org", 403, 403, 200},
		{"badexample.org", 403, 403, 200},
		{"rebound.example.com:9091", 403, 403, 200},
		{"localhost.example.com", 403, 403, 200},
		{"notlocalhost", 403, 403, 200},
		{"127.0.0.1.example.com", 403, 403, 200},
		{"127.1", 403, 403, 200}, // no address as package netip reads them; browsers ask for 127.0.0.1
	} {
		if got := [3]int{get(plain, "/metrics", tt.host), get(more, "/metrics", tt.host), get(open, "/metrics", tt.host)}; got != [3]int{tt.plain, tt.more, tt.open} {
			t.Errorf("Host %q: %d, want %d, %d, %d", tt.host, got, tt.plain, tt.more, tt.open)
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := get(plain, path, tt.host); got != 200 {
				t.Errorf("%s with Host %q: %d", path, tt.host, got)
			}
		}
	}
	for _, path := range []string{"/", "/live", "/live/main.js", "/debug/pprof/", "/nothing"} {
		if got := get(plain, path, "rebound.example.com"); got != 403 {
			t.Errorf("%s by another name: %d", path, got)
		}
	}
	for _, bad := range []string{"", "http://app", "app:9091", "*.", "*app", "a*", "*.*.org", "/", "[::1]", "a b", ".org"} {
		s, err := weir.NewServer(&handler{}, weir.Address("127.0.0.1:0"), weir.MetricsHosts("app", bad))
		if err == nil {
			_ = s.Stop() // the test has failed
		}
		var refused *weir.OptionError
		if !errors.As(err, &refused) || refused.Option != "MetricsHosts" {
			t.Errorf("MetricsHosts(%q): %v", bad, err)
		}
	}
}

// TestMetricsWhileStopping: nobody who asks while the server stops is told that all is
// well, least of all by an empty reply.
func TestMetricsWhileStopping(t *testing.T) {
	var refused atomic.Int64
	for round := 0; refused.Load() == 0 && round < 50; round++ { // the moment is short
		p := startPair(t, &handler{}, metered())
		clients := []string{"/readyz", "/metrics", "/healthz"}
		var asking, ready sync.WaitGroup
		ready.Add(len(clients))
		for _, path := range clients {
			c := dialTo(t, p.server.MetricsAddr().String())
			asking.Go(func() {
				b := bufio.NewReader(c)
				for i := 0; ; i++ {
					resp, body, err := roundTrip(c, b, path)
					if i == 0 {
						ready.Done()
					}
					if err != nil {
						return // it has stopped
					}
					if resp == http.StatusOK && body == "" {
						t.Errorf("%s: status 200 and an empty body", path)
					}
					if resp == http.StatusServiceUnavailable {
						if !strings.Contains(body, "stopped") {
							t.Errorf("%s: status 503 and %q", path, body)
						}
						refused.Add(1)
					}
				}
			})
		}
		ready.Wait()
		if err := p.server.Stop(); err != nil {
			t.Error(err)
		}
		asking.Wait()
	}
}

// roundTrip asks once on a connection that is kept.
func roundTrip(c net.Conn, b *bufio.Reader, path string) (status int, body string, err error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(b, nil)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	p, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(p), err
}
