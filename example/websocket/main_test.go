//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

func TestEcho(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "2", "-compress")
	for range 4 { // on both loops
		c, err := websocket.Dial(t.Context(), "ws://"+p.Addr+"/", &websocket.DialOptions{Compression: new(codec.Deflate)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow() //nolint:errcheck // nothing is left to do with it
		for _, text := range []string{"hello", strings.Repeat("and again ", 1000)} {
			if err := c.Write(codec.Text, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if kind, data, err := c.Read(); kind != codec.Text || string(data) != text || err != nil {
				t.Fatalf("read %v %.20q, %v", kind, data, err)
			}
		}
	}
	reply, err := http.Get("http://" + p.Addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if body, err := io.ReadAll(reply.Body); !strings.Contains(string(body), "WebSocket") || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	http.DefaultClient.CloseIdleConnections()
	p.Stop(t, syscall.SIGTERM)
}
