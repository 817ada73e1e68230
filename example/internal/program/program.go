// Package program runs an example in a test as its user would: built, started
// as a process, and talked to over its socket.
package program

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// Program is an example that runs.
type Program struct {
	Addr string        // where it listens
	Log  <-chan string // the lines on its standard error

	cmd    *exec.Cmd
	exited <-chan error
}

// Start builds the example in the current directory and runs it with the given
// arguments until the test ends. It must print a line that ends with its address.
func Start(t *testing.T, args ...string) *Program {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "example")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	args = append(args, "-metrics", "127.0.0.1:0") // which each example takes
	p := &Program{cmd: exec.Command(binary, args...)}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	printed := lines(&reading, stdout)
	p.Log = lines(&reading, stderr)
	exited := make(chan error, 1)
	p.exited = exited
	go func() {
		reading.Wait() // cmd.Wait closes the pipes
		exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // it has ended if all went well

	line := receive(t, printed, "its address")
	p.Addr = line[strings.LastIndexByte(line, ' ')+1:]
	return p
}

// lines passes on what r yields, line by line. The channel has room for more than
// any test lets a program print.
func lines(reading *sync.WaitGroup, r io.Reader) <-chan string {
	ch := make(chan string, 4096)
	reading.Go(func() {
		defer close(ch)
		for s := bufio.NewScanner(r); s.Scan(); {
			ch <- s.Text()
		}
	})
	return ch
}

// Dial connects to the program until the test ends.
func (p *Program) Dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// WaitLog reads Log up to a line that has all of the given parts, and returns it.
func (p *Program) WaitLog(t *testing.T, parts ...string) string {
	t.Helper()
	for {
		line := receive(t, p.Log, strings.Join(parts, "…"))
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return line
		}
	}
}

// Stop sends the program a signal and fails the test unless it then ends in good
// order.
func (p *Program) Stop(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, p.exited, "its end"); err != nil {
		t.Fatalf("after %v: %v, want exit status 0", sig, err)
	}
}

func receive[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v, ok := <-ch:
		if ok {
			return v
		}
		t.Fatalf("the program has ended, and no sign of %s", what)
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	panic("unreachable")
}
