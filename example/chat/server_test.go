package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/websocket"
)

func TestPages(t *testing.T) {
	s := start(t, testLimits())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}
	for _, c := range []struct {
		method, path string
		status       int
		kind, part   string
	}{
		{"GET", "/", 200, "text/html", "<!doctype html>"},
		{"GET", "/?a=b", 200, "text/html", "<!doctype html>"},
		{"HEAD", "/", 200, "text/html", ""},
		{"GET", "/main.js", 200, "text/javascript", "import"},
		{"GET", "/chat.css", 200, "text/css", "prefers-color-scheme"},
		{"GET", "/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/healthz", 200, "text/plain", "ok\n"},
		{"GET", "/metrics", 404, "text/plain", "Not Found"}, // they are not for everybody
		{"GET", "/ws", 426, "text/plain", "Upgrade Required"},
		{"GET", "/../main.go", 404, "text/plain", "Not Found"},
		{"GET", "/nothing", 404, "text/plain", "Not Found"},
		{"POST", "/", 405, "text/plain", "Method Not Allowed"},
	} {
		r, err := http.NewRequest(c.method, s.url()+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reply.Body)
		reply.Body.Close()
		if err != nil || reply.StatusCode != c.status || !strings.HasPrefix(reply.Header.Get("Content-Type"), c.kind) || !strings.Contains(string(body), c.part) {
			t.Errorf("%s %s: %d %s %.40q, %v", c.method, c.path, reply.StatusCode, reply.Header.Get("Content-Type"), body, err)
		}
		if p := reply.Header.Get("Content-Security-Policy"); c.status == 200 && c.path != "/healthz" && !strings.HasPrefix(p, "default-src 'none'") {
			t.Errorf("%s: policy %q", c.path, p)
		}
		tag := reply.Header.Get("ETag")
		if c.method != "GET" || tag == "" {
			continue
		}
		r.Header.Set("If-None-Match", tag)
		reply, err = client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if reply.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", c.path, reply.StatusCode)
		}
	}
}

// TestNoFetch: all that the page needs is here.
func TestNoFetch(t *testing.T) {
	for path, a := range assets {
		if text := strings.ReplaceAll(string(a.body), "http://www.w3.org/2000/svg", ""); strings.Contains(text, "://") {
			t.Errorf("%s names another place", path)
		}
		if a.kind == "" {
			t.Errorf("%s has no type", path)
		}
	}
}

func TestSocketElsewhere(t *testing.T) {
	s := start(t, testLimits())
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	for header, want := range map[string]int{"": http.StatusNotFound, "https://example.com": http.StatusForbidden} {
		o := &websocket.DialOptions{Header: make(http.Header)}
		path := "/other"
		if header != "" {
			o.Header.Set("Origin", header)
			path = "/ws"
		}
		_, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.url(), "http")+path, o)
		var refused *websocket.HandshakeError
		if !errors.As(err, &refused) || refused.Status != want {
			t.Errorf("%s from %q: %v, want %d", path, header, err, want)
		}
	}
}
