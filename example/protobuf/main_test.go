//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bytes"
	"io"
	"syscall"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/go-weir/weir/example/internal/program"
	"github.com/go-weir/weir/plugins/protobuf"
)

func TestSum(t *testing.T) {
	protocol, err := protobuf.NewTyped(messages)
	if err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "1")
	c := p.Dial(t)

	numbers, err := structpb.NewList([]any{1, 2.5, "no number", -5})
	if err != nil {
		t.Fatal(err)
	}
	request, err := protocol.Append(nil, numbers)
	if err != nil {
		t.Fatal(err)
	}
	want, err := protocol.Append(nil, wrapperspb.Double(-1.5))
	if err != nil {
		t.Fatal(err)
	}
	request = append(request, protobuf.PackMessage("weather", []byte("fine"))...)
	want, err = protocol.Append(want, wrapperspb.String(`protobuf: message "weather": unknown type`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %q, %v; want %q", got[:n], err, want)
	}

	if _, err := c.Write([]byte("\x00\x00\x00\x02\xFF\xFF\x00")); err != nil {
		t.Fatal(err)
	}
	p.WaitLog(t, "closed: "+c.LocalAddr().String(), "corrupt message")
	p.Stop(t, syscall.SIGTERM)
}
