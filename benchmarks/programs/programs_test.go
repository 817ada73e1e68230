package programs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	for said, want := range map[string]string{
		"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64": "7.0.15",
		"redis-benchmark 7.0.15": "7.0.15",
		"wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer": "4.1.0",
		"nginx version: nginx/1.22.1":                                  "1.22.1",
		"no idea":                                                      "unknown",
		"":                                                             "unknown",
	} {
		if got := version([]byte(said)); got != want {
			t.Errorf("%q: version %q, want %q", said, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	_, err := Find(Wrk)
	if !errors.Is(err, ErrMissing) || err.Error() != "wrk is not installed; on Debian it is in the package wrk" {
		t.Errorf("%v, want that it is missing, and what to install", err)
	}
	file := filepath.Join(dir, Wrk)
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho wrk 1.2.3\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if p, err := Find(Wrk); err != nil || p != (Program{Name: Wrk, Path: file, Version: "1.2.3"}) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestBuildRedis(t *testing.T) {
	program, err := BuildRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(program, "-h").CombinedOutput()
	if err != nil || !strings.Contains(string(said), "requirepass") {
		t.Errorf("%s, %v", said, err)
	}
	if _, err := BuildRedis(t.Context(), program); err == nil {
		t.Error("no error for a directory that is a file")
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := BuildRedis(t.Context(), t.TempDir()); !errors.Is(err, ErrNoGo) {
		t.Errorf("%v without the go command", err)
	}
}
