package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/floor"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/process"
	"github.com/go-weir/weir/benchmarks/servers"
)

// TestMain lets this program be the servers and the load of its tests.
func TestMain(m *testing.M) {
	if child, err := Child(os.Args[1:]); child {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if left := children(); left != "" {
		fmt.Fprintln(os.Stderr, "processes left over:", left)
		code = 1
	}
	os.Exit(code)
}

// children are the processes that this one has started and not waited for.
func children() string {
	var all []string
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, t := range tasks {
		if b, err := os.ReadFile(t); err == nil && len(bytes.TrimSpace(b)) > 0 {
			all = append(all, string(b))
		}
	}
	return strings.Join(all, " ")
}

func newRunner(t *testing.T) *Runner {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cpus, err := process.Processors()
	if err != nil {
		t.Fatal(err)
	}
	return &Runner{Program: program, ServerCPUs: cpus[:1], LoadCPUs: cpus[len(cpus)-1:]}
}

// jobs are one short measurement for each role, every answer compared.
func jobs() map[servers.Role]load.Config {
	message := bytes.Repeat([]byte("0123456789abcde"), 60)
	word := []byte("!")
	pushed := bytes.Repeat([]byte("p"), len(message))
	return map[servers.Role]load.Config{
		servers.Echo: {
			Mode: load.Closed, Conns: 20, Pipeline: 4, Exchange: load.Exchange{Request: message, Reply: message},
		},
		servers.Frame: {Mode: load.OneWay, Conns: 1, Exchange: load.Exchange{Request: message}},
		servers.Push: {
			Mode: load.Push, Conns: 20, Pipeline: 1,
			Exchange: load.Exchange{Hello: word, HelloEnd: word, Request: word, Reply: pushed},
		},
		servers.WebSocket: {
			Mode: load.Closed, Conns: 20, Pipeline: 4, Exchange: load.Exchange{
				Hello: []byte(load.Upgrade), HelloEnd: []byte(load.UpgradeEnd),
				Request: load.MaskedFrame(message), Reply: load.Frame(message),
			},
		},
		servers.Broadcast: {
			Mode: load.Push, Conns: 20, Pipeline: 2, Exchange: load.Exchange{
				Hello: []byte(load.Upgrade), HelloEnd: append([]byte(load.UpgradeEnd), load.Frame([]byte(load.Welcome))...),
				Request: load.MaskedFrame(word), Reply: load.Frame(pushed),
			},
		},
	}
}

// TestServers has every server play each of its roles.
func TestServers(t *testing.T) {
	all := servers.All()
	switch program, err := floor.Build(t.Context(), t.TempDir()); {
	case err == nil:
		all = append(all, servers.Floor(program))
	case !errors.Is(err, floor.ErrNoCompiler):
		t.Error(err)
	}
	r := newRunner(t)
	raw := map[servers.Role]servers.Role{servers.WebSocket: servers.Echo, servers.Broadcast: servers.Push}
	for _, s := range all {
		for role, l := range jobs() {
			if !s.Plays(role) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s", s.Name, role), func(t *testing.T) {
				l.Warmup, l.Duration, l.Verify = 5*time.Millisecond, 30*time.Millisecond, true
				job := Job{Role: role, InFlight: 4 * 900, Size: 900, Raw: jobs()[raw[role]].Exchange}
				result, err := r.Measure(t.Context(), s, job, l)
				if err != nil {
					t.Fatal(err)
				}
				if result.Messages == 0 || result.ServerCPU == 0 || result.RSS == 0 {
					t.Errorf("%+v: something was not measured", result)
				}
			})
		}
	}
}

// TestStalledPeers has every server go through what a peer that stops reading does to it.
func TestStalledPeers(t *testing.T) {
	r := newRunner(t)
	for _, name := range []string{"weir", "net"} {
		s, err := servers.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		l := jobs()[servers.Echo]
		l.Mode, l.Rate, l.Stalled = load.Open, 1000, 2
		l.Warmup, l.Duration, l.Verify = 50*time.Millisecond, 200*time.Millisecond, true
		result, err := r.Measure(t.Context(), s, Job{Role: servers.Echo, InFlight: 900, Size: 900}, l)
		if err != nil || result.RTT.Samples == 0 || result.Unanswered != 0 {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
}

func TestProfile(t *testing.T) {
	r := newRunner(t)
	r.Profiles = t.TempDir()
	s, err := servers.Find("weir")
	if err != nil {
		t.Fatal(err)
	}
	l := jobs()[servers.Echo]
	l.Duration = 20 * time.Millisecond
	if _, err := r.Measure(t.Context(), s, Job{Role: servers.Echo}, l); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(r.Profiles, "echo-weir-*.pprof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("profiles %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() == 0 {
		t.Errorf("an empty profile: %v", err)
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s, err := servers.Find("weir")
	if err != nil {
		t.Fatal(err)
	}
	l := jobs()[servers.Echo]
	l.Duration = time.Hour
	begin := time.Now()
	if _, err := newRunner(t).Measure(ctx, s, Job{Role: servers.Echo}, l); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if left := children(); left != "" {
		t.Errorf("processes left over: %s", left)
	}
}

func TestServerThatFails(t *testing.T) {
	r := newRunner(t)
	for name, command := range map[string][]string{
		"ends at once":   {"sh", "-c", "echo no such thing >&2; exit 1"},
		"is not there":   {"/no/such/program"},
		"is no server":   {r.Program, serveCommand, "nobody"},
		"has a bad role": {r.Program, serveCommand, "-role", "nothing", "weir"},
	} {
		s := servers.Server{
			Name: "broken", Roles: map[servers.Role]func(servers.Config) error{servers.Echo: nil},
			Command: func(servers.Role, servers.Config) ([]string, error) { return command, nil },
		}
		l := jobs()[servers.Echo]
		l.Duration = time.Second
		_, err := r.Measure(t.Context(), s, Job{Role: servers.Echo}, l)
		if err == nil || !strings.Contains(err.Error(), "broken does not start") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChild(t *testing.T) {
	for _, args := range [][]string{nil, {"-quick"}} {
		if child, err := Child(args); child || err != nil {
			t.Errorf("%v: %v, %v", args, child, err)
		}
	}
	if child, err := Child([]string{serveCommand, "-nonsense"}); !child || err == nil {
		t.Errorf("%v, %v", child, err)
	}
	if err := makeLoad(strings.NewReader("{"), &bytes.Buffer{}); err == nil {
		t.Error("no error for half a configuration")
	}
	if err := makeLoad(strings.NewReader("{}"), &bytes.Buffer{}); err == nil {
		t.Error("no error for an empty configuration")
	}
}
