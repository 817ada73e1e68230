//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

func TestHTTP(t *testing.T) {
	dir := t.TempDir()
	file := bytes.Repeat([]byte("static "), 1<<17) // 896 KiB
	if err := os.WriteFile(filepath.Join(dir, "file.txt"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "2", "-dir", dir)
	url := "http://" + p.Addr
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	get := func(path string, status int) (content []byte, header http.Header) {
		t.Helper()
		r, err := client.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		if content, err = io.ReadAll(r.Body); err != nil || r.StatusCode != status {
			t.Fatalf("GET %s: %s, %v; want %d", path, r.Status, err, status)
		}
		return content, r.Header
	}
	if got, h := get("/plaintext", 200); string(got) != "Hello, World!" || h.Get("Server") != "weir" {
		t.Errorf("%q, %v", got, h)
	}
	if got, h := get("/file.txt", 200); !bytes.Equal(got, file) || h.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d bytes, %v", len(got), h)
	}
	get("/none", 404)

	upload := bytes.Repeat([]byte("upload"), 1<<20) // 6 MiB
	r, err := client.Post(url+"/sha256", "application/octet-stream", bytes.NewReader(upload))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r.Body)
	if want := fmt.Sprintf("%x\n", sha256.Sum256(upload)); string(got) != want || err != nil {
		t.Errorf("POST /sha256: %q, %v; want %q", got, err, want)
	}
	_ = r.Body.Close()

	clock, err := client.Get(url + "/clock")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(clock.Body).ReadString('\n'); !strings.HasPrefix(line, "data: ") || err != nil {
		t.Errorf("GET /clock: %q, %v", line, err)
	}
	_ = clock.Body.Close() // which ends the handler, or the program would not end

	p.Stop(t, syscall.SIGTERM)
}

// TestStreams: as many streams as a Pool has workers keep nobody from the files.
func TestStreams(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-dir", t.TempDir())
	for range 256 {
		c := p.Dial(t)
		if _, err := io.WriteString(c, "GET /clock HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // it runs
			t.Fatal(err)
		}
	}
	c := p.Dial(t)
	if _, err := io.WriteString(c, "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusNotFound {
		t.Errorf("%+v, %v; want 404", r, err)
	}
	p.Stop(t, syscall.SIGTERM)
}

// TestRaw: requests at once, with one in the middle that is not answered on the
// loop, and one at the end that is no request.
func TestRaw(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	c := p.Dial(t)
	const get = "GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
	if _, err := fmt.Fprintf(c, get+get+get+"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "/plaintext", "/none", "/plaintext"); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	for i, want := range []int{200, 404, 200, 400} {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != want || r.Close != (want == 400) {
			t.Errorf("response %d: %s, %v, close %v; want %d", i, r.Status, err, r.Close, want)
		}
	}
	if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v; want the end", n, err)
	}
	p.Stop(t, syscall.SIGINT)
}
