//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package main

import (
	"bufio"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-weir/weir/example/internal/program"
)

// guest is somebody in the chat.
type guest struct {
	net.Conn
	lines *bufio.Scanner
}

func (g *guest) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(g, line); err != nil {
		t.Fatal(err)
	}
}

func (g *guest) hear(t *testing.T, want string) {
	t.Helper()
	if !g.lines.Scan() || g.lines.Text() != want {
		t.Fatalf("heard %q, %v; want %q", g.lines.Text(), g.lines.Err(), want)
	}
}

func enter(t *testing.T, p *program.Program, name, welcome string) *guest {
	t.Helper()
	c := p.Dial(t)
	g := &guest{c, bufio.NewScanner(c)}
	g.hear(t, "What is your name?")
	g.say(t, name)
	g.hear(t, welcome)
	return g
}

func TestChat(t *testing.T) {
	p := program.Start(t, "-addr", "127.0.0.1:0", "-loops", "2")
	ada := enter(t, p, "Ada\n", "Welcome, Ada. Here are: ")
	ben := enter(t, p, " Ben \r\n", "Welcome, Ben. Here are: Ada")
	ada.hear(t, "* Ben has come")

	eve := enter(t, p, "Ada\n", "Another name, please.")
	eve.say(t, "\nEve\n")
	eve.hear(t, "Another name, please.")
	eve.hear(t, "Welcome, Eve. Here are: Ada, Ben")
	ada.hear(t, "* Eve has come")
	ben.hear(t, "* Eve has come")

	ada.say(t, "hello\r\nhow are ")
	ben.hear(t, "Ada: hello")
	eve.hear(t, "Ada: hello")
	ada.say(t, "you?\n")
	ben.hear(t, "Ada: how are you?")
	eve.hear(t, "Ada: how are you?")
	ben.say(t, "fine\n")
	ada.hear(t, "Ben: fine")
	eve.hear(t, "Ben: fine")

	ben.Close()
	ada.hear(t, "* Ben has left")
	eve.hear(t, "* Ben has left")
	p.Stop(t, syscall.SIGTERM)
}
