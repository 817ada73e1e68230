package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// gone reports whether there is no process of that number, not even a dead one.
func gone(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }

func TestOutput(t *testing.T) {
	var out bytes.Buffer
	p, err := Start(t.Context(), Spec{
		Args: []string{"sh", "-c", "read line; echo $line $GREETING"},
		Env:  []string{"GREETING=hello"}, Stdin: strings.NewReader("oh\n"), Stdout: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil || out.String() != "oh hello\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestFailure(t *testing.T) {
	p, err := Start(t.Context(), Spec{Args: []string{"sh", "-c", "echo first >&2; echo last words >&2; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || !strings.Contains(err.Error(), "exit status 3: last words") {
		t.Errorf("%v, want the exit status and the last line", err)
	}
	p.Kill() // has no effect any more
	if _, err := Start(t.Context(), Spec{Args: []string{"/no/such/program"}}); err == nil {
		t.Error("started a program that there is not")
	}
	if _, err := Start(t.Context(), Spec{Args: []string{"true"}, CPUs: []int{1000}}); err == nil {
		t.Error("started on a processor that there is not")
	}
}

// sleeper is a process with a child, both of which would stay for long. It returns the child's number too.
func sleeper(ctx context.Context, t *testing.T, script string) (*Process, int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	p, err := Start(ctx, Spec{Args: []string{"sh", "-c", script}, Stdout: w})
	if err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(r, &child); err != nil {
		t.Fatal(err)
	}
	return p, child
}

const withChild = "sleep 1000 & echo $!; wait"

func TestStopKillsTheGroup(t *testing.T) {
	p, child := sleeper(t.Context(), t, withChild)
	p.Stop(0)
	await(t, func() bool { return gone(p.PID()) && dead(child) })
}

func TestStopAsksFirst(t *testing.T) {
	p, _ := sleeper(t.Context(), t, "trap 'exit 0' TERM; echo 1; while :; do sleep .01; done")
	p.Stop(time.Minute)
	if err := p.Wait(); err != nil {
		t.Errorf("it was killed although it was willing: %v", err)
	}
}

func TestStopInsists(t *testing.T) {
	p, child := sleeper(t.Context(), t, "trap '' TERM; sleep 1000 & echo $!; wait; wait")
	p.Stop(10 * time.Millisecond)
	await(t, func() bool { return gone(p.PID()) && dead(child) })
}

func TestContextKills(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, child := sleeper(ctx, t, withChild)
	cancel()
	if err := p.Wait(); err == nil {
		t.Error("it ended of itself")
	}
	await(t, func() bool { return gone(p.PID()) && dead(child) })
	if _, err := Start(ctx, Spec{Args: []string{"true"}}); err == nil {
		t.Error("started although it was cancelled")
	}
}

// dead reports whether a process of somebody else's has ended, though nobody may have asked why.
func dead(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func await(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it is still there")
		}
	}
}

func TestProcessors(t *testing.T) {
	cpus, err := Processors()
	if err != nil || len(cpus) == 0 {
		t.Fatalf("%v, %v", cpus, err)
	}
	last := cpus[len(cpus)-1]
	var out bytes.Buffer
	p, err := Start(t.Context(), Spec{
		Args: []string{"grep", "Cpus_allowed_list", "/proc/self/status"}, CPUs: []int{last}, Stdout: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Fields(out.String())[1], fmt.Sprint(last); got != want {
		t.Errorf("it may run on %s, want %s", got, want)
	}
	if after, err := Processors(); err != nil || len(after) != len(cpus) {
		t.Errorf("this thread may run on %v, before on %v", after, cpus)
	}
}

func TestUsage(t *testing.T) {
	p, _ := sleeper(t.Context(), t, "echo 1; while :; do :; done")
	defer p.Stop(0)
	before, err := CPU(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		after, err := CPU(p.PID())
		if err != nil {
			t.Fatal(err)
		}
		return after-before > 10*time.Millisecond
	})
	if rss, err := RSS(p.PID()); err != nil || rss < 4<<10 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	own, err := OwnCPU()
	if err != nil || own <= 0 {
		t.Errorf("own CPU time %v, %v", own, err)
	}
	cpus, err := Processors()
	if err != nil {
		t.Fatal(err)
	}
	if busy, err := Busy(cpus); err != nil || busy < own/2 {
		t.Errorf("busy %v, %v, but this process alone has used %v", busy, err, own)
	}
}

func TestUsed(t *testing.T) {
	p, err := Start(t.Context(), Spec{Args: []string{"sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"}})
	if err != nil {
		t.Fatal(err)
	}
	if used := p.Used(); used <= 0 || used > time.Minute {
		t.Errorf("it used %v", used)
	}
}

func TestUsageOfNobody(t *testing.T) {
	p, err := Start(t.Context(), Spec{Args: []string{"true"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := CPU(p.PID()); err == nil {
		t.Error("CPU time of a process that has ended")
	}
	if _, err := RSS(p.PID()); err == nil {
		t.Error("memory of a process that has ended")
	}
}
