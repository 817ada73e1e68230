package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec says what to start.
type Spec struct {
	Args   []string // the program and its arguments
	Env    []string // added to this process's own environment
	CPUs   []int    // the processors it may run on; none: all of them
	Stdin  io.Reader
	Stdout io.Writer // nil: thrown away
}

// Process is a program that was started. It does not outlive this process, whatever ends that, nor the context given to
// Start. Any goroutine.
type Process struct {
	pid    int
	stderr tail
	done   chan struct{}
	err    error         // why it ended; read after done is closed
	used   time.Duration // of the processors; read after done is closed
}

// Start starts a program. When ctx ends, it is killed.
func Start(ctx context.Context, s Spec) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := &Process{done: make(chan struct{})}
	cmd := exec.Command(s.Args[0], s.Args[1:]...)
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.Stdin, s.Stdout, &p.stderr
	// A group of its own: an interrupt from the terminal reaches this process alone, which then ends the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	started := make(chan error)
	go p.run(ctx, cmd, s.CPUs, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Args[0], err)
	}
	return p, nil
}

// run stays on one thread for as long as the process lives: PR_SET_PDEATHSIG (prctl(2)) means the thread that forked. The
// thread then ends with its goroutine, because it is never unlocked, and takes its processors along.
func (p *Process) run(ctx context.Context, cmd *exec.Cmd, cpus []int, started chan<- error) {
	runtime.LockOSThread()
	err := pinThread(0, cpus) // inherited over fork(2) and execve(2)
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, p.Kill)
	p.err = cmd.Wait()
	p.used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	stop()
	close(p.done)
}

// PID is the process's number.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end and says why it came: nil if the program was content. What it wrote last to its standard error
// is part of the error.
func (p *Process) Wait() error {
	<-p.done
	if p.err == nil {
		return nil
	}
	if said := p.stderr.last(); said != "" {
		return fmt.Errorf("%w: %s", p.err, said)
	}
	return p.err
}

// Used waits for the end and returns the processor time that the process has used, children that it has waited for
// included.
func (p *Process) Used() time.Duration {
	<-p.done
	return p.used
}

// Kill ends the process, and those that it has started, at once.
func (p *Process) Kill() {
	select {
	case <-p.done: // its number may be somebody else's by now
	default:
		_ = unix.Kill(-p.pid, unix.SIGKILL) // ESRCH: it has just ended
	}
}

// Stop asks the process to end, kills it if it takes longer than grace, and returns when it is gone.
func (p *Process) Stop(grace time.Duration) {
	if grace > 0 {
		_ = unix.Kill(p.pid, unix.SIGTERM) // ESRCH: it has just ended
		select {
		case <-p.done:
			return
		case <-time.After(grace):
		}
	}
	p.Kill()
	<-p.done
}

// pinThread has a thread, 0 for this one, run on these processors only.
func pinThread(tid int, cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	return os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(tid, &set))
}

// tail keeps the end of what a program says on its standard error. It is read after the program has ended.
type tail struct{ b bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	const kept = 4 << 10
	n := len(p)
	if t.b.Len()+n > kept {
		t.b.Reset()
		p = p[max(0, n-kept):]
	}
	_, _ = t.b.Write(p) // never fails
	return n, nil
}

// last is the last line that was said.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(t.b.String()), "\n")
	return lines[len(lines)-1]
}

// ErrNoProcessor means that there are too few processors to keep a server and its load apart.
var ErrNoProcessor = errors.New("this process may use one processor only: server and load have to share it")

// Processors are those that this process may run on.
func Processors() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
	var cpus []int
	for c := 0; len(cpus) < set.Count(); c++ {
		if set.IsSet(c) {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}

// StepAside moves every thread of this process to these processors, so that the others are left to those that are
// measured. Threads that the runtime makes later inherit it.
func StepAside(cpus []int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range tasks {
		var tid int
		if _, err := fmt.Sscan(t.Name(), &tid); err != nil {
			return err
		}
		if err := pinThread(tid, cpus); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}
