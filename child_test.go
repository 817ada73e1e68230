package weir_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// runAsChild makes the process what a test has started it for, and reports
// false if it is the process of the tests themselves.
func runAsChild(args []string) bool {
	if len(args) != 2 || args[0] != "child" {
		return false
	}
	role, ok := map[string]func(command *json.Decoder, answer *json.Encoder) error{
		"exhausted": exhaustedChild,
		"idle":      idleChild,
		"stopped":   stoppedChild,
	}[args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such child:", args[1])
		os.Exit(2)
	}
	if err := role(json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintf(os.Stderr, "child %s: %v\n", args[1], err)
		os.Exit(1)
	}
	return true
}

// child is another process of the test binary, with descriptors, limits and
// CPU time of its own. It is told and tells one JSON value at a time.
type child struct {
	t       testing.TB
	process *os.Process
	command *json.Encoder
	answer  *json.Decoder
}

// startChild runs a role of runAsChild until the test ends.
func startChild(t testing.TB, role string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, "child", role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // the end of its input ends the child
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("child %s: %v", role, err)
		}
	})
	return &child{t, cmd.Process, json.NewEncoder(in), json.NewDecoder(out)}
}

// tell sends v to the child.
func (c *child) tell(v any) {
	c.t.Helper()
	if err := c.command.Encode(v); err != nil {
		c.t.Fatal(err)
	}
}

// hear reads what the child says into v.
func (c *child) hear(v any) {
	c.t.Helper()
	if err := c.answer.Decode(v); err != nil {
		c.t.Fatal(err)
	}
}
