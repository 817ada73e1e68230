package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/process"
	"github.com/go-weir/weir/benchmarks/servers"
)

const (
	// starting is how long a server may take until it accepts connections.
	starting = 5 * time.Second
	// opening is how long the load may take to open its connections, and to end.
	opening = 60 * time.Second
)

// Runner measures servers. It runs one at a time.
type Runner struct {
	Program    string // this program
	ServerCPUs []int
	LoadCPUs   []int
	Profiles   string // the directory for CPU profiles of the servers; none: no profiles
}

// Job is a server's part in a measurement.
type Job struct {
	Role     servers.Role
	InFlight int // bytes that a connection sends before it waits
	Size     int // bytes of a message
	// Raw, unless empty, is what is said instead to a server that knows nothing but bytes (servers.Server.Raw).
	Raw load.Exchange
}

// Measure starts the server, makes the load, and ends the server. Nothing is left running, whatever happens.
func (r *Runner) Measure(ctx context.Context, s servers.Server, j Job, l load.Config) (*load.Result, error) {
	p, address, err := r.start(ctx, s, j)
	if err != nil {
		return nil, err
	}
	grace := time.Duration(0)
	if r.Profiles != "" {
		grace = 5 * time.Second // to write the profile
	}
	defer p.Stop(grace)
	if s.Raw && len(j.Raw.Request) > 0 {
		l.Exchange = j.Raw
	}
	l.Address, l.ServerPID = address, p.PID()
	l.CPUs = append(r.ServerCPUs[:len(r.ServerCPUs):len(r.ServerCPUs)], r.LoadCPUs...)
	result, err := r.load(ctx, l)
	if err == nil || ctx.Err() != nil {
		return result, err
	}
	select {
	case <-p.Done(): // that is why
		return nil, fmt.Errorf("%s has ended: %w", s.Name, errors.Join(p.Wait(), err))
	default:
		return nil, err
	}
}

// start starts a server on a free port. Between the choice and the server's own listen(2) somebody else may take it.
func (r *Runner) start(ctx context.Context, s servers.Server, j Job) (p *process.Process, address string, err error) {
	for range 3 {
		if address, err = freeAddress(); err != nil {
			return nil, "", err
		}
		c := servers.Config{Address: address, Loops: len(r.ServerCPUs), InFlight: j.InFlight, Size: j.Size}
		var args []string
		if args, err = r.command(&s, j.Role, c); err != nil {
			break
		}
		p, err = process.Start(ctx, process.Spec{
			Args: args, CPUs: r.ServerCPUs,
			Env: []string{fmt.Sprintf("GOMAXPROCS=%d", len(r.ServerCPUs))},
		})
		if err != nil {
			break
		}
		if err = listening(ctx, p, address); err == nil {
			return p, address, nil
		}
		p.Stop(0)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, "", fmt.Errorf("%s does not start: %w", s.Name, err)
}

func (r *Runner) command(s *servers.Server, role servers.Role, c servers.Config) ([]string, error) {
	if s.Roles[role] == nil {
		return s.Command(role, c)
	}
	profile := ""
	if r.Profiles != "" {
		name := fmt.Sprintf("%s-%s-%s.pprof", role, strings.ReplaceAll(s.Name, "/", "-"), time.Now().Format("150405.000"))
		profile = filepath.Join(r.Profiles, name)
	}
	return append([]string{r.Program}, serveArgs(s, role, c, profile)...), nil
}

// freeAddress is an address on this machine that nobody listens on.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// listening returns when the server accepts connections.
func listening(ctx context.Context, p *process.Process, address string) error {
	end := time.Now().Add(starting)
	for {
		conn, err := net.DialTimeout("tcp4", address, starting)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.Done():
			return errors.Join(errors.New("it has ended"), p.Wait())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// load runs the load in a process of its own, without a garbage collector: it makes no garbage.
func (r *Runner) load(ctx context.Context, c load.Config) (*load.Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Warmup+c.Duration+opening, errors.New("the load does not come to an end"))
	defer cancel()
	in, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	p, err := process.Start(ctx, process.Spec{
		Args: []string{r.Program, loadCommand}, CPUs: r.LoadCPUs, Env: []string{"GOMAXPROCS=1", "GOGC=off"},
		Stdin: bytes.NewReader(in), Stdout: &out,
	})
	if err != nil {
		return nil, err
	}
	if err := p.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "exit status 1: "))
	}
	result := new(load.Result)
	return result, json.Unmarshal(out.Bytes(), result)
}
