package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/floor"
	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/programs"
	"github.com/go-weir/weir/benchmarks/servers"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// enlist finds out who takes part: the servers of this program, those that are built, and those that are installed. What is
// missing is a remark.
func (c *comparison) enlist(ctx context.Context, dir string) error {
	if err := c.enlistFloor(ctx, dir); err != nil {
		return err
	}
	for _, s := range servers.All() {
		if c.opts.takes(s.Name) {
			c.servers = append(c.servers, s)
		}
	}
	c.clients = make(map[load.Mode][]string)
	for _, e := range []struct {
		role   servers.Role
		client string
		enlist func(context.Context, string) error
	}{
		{servers.Redis, programs.RedisBenchmark, c.enlistRedis},
		{servers.HTTP, programs.Wrk, c.enlistHTTP},
	} {
		if !slices.ContainsFunc(c.opts.workloads, func(w workloads.Workload) bool { return w.Role == e.role }) {
			continue
		}
		p, ok := c.find(e.client, "workload "+string(e.role))
		if !ok {
			continue
		}
		c.data.Clients = append(c.data.Clients, p.Name+" "+p.Version)
		c.clients[load.Mode(e.client)] = []string{p.Path}
		if err := e.enlist(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) enlistFloor(ctx context.Context, dir string) error {
	if !c.opts.takes(compare.Floor) {
		return nil
	}
	program, err := floor.Build(ctx, dir)
	switch {
	case errors.Is(err, floor.ErrNoCompiler):
		c.lacks("floor", err)
	case err != nil:
		return err
	default:
		c.servers = append(c.servers, servers.Floor(program))
	}
	return nil
}

// enlistRedis adds Redis, and builds weir's.
func (c *comparison) enlistRedis(ctx context.Context, dir string) error {
	if i := slices.IndexFunc(c.servers, func(s servers.Server) bool { return s.Name == compare.Weir }); i >= 0 {
		program, err := programs.BuildRedis(ctx, dir)
		switch {
		case errors.Is(err, programs.ErrNoGo):
			c.lacks("example/redis", err)
		case err != nil:
			return err
		default:
			c.servers[i] = c.servers[i].WithRedis(program)
		}
	}
	if !c.opts.takes(servers.RedisServer) {
		return nil
	}
	p, ok := c.find(programs.RedisServer, "server "+servers.RedisServer)
	if ok {
		c.servers = append(c.servers, servers.RedisProgram(p.Path, p.Version, dir))
	}
	return nil
}

// enlistHTTP adds nginx, and the script of the client.
func (c *comparison) enlistHTTP(_ context.Context, dir string) error {
	script, err := load.WrkScript(dir)
	if err != nil {
		return err
	}
	c.clients[load.Wrk] = append(c.clients[load.Wrk], "-s", script)
	if !c.opts.takes(servers.NginxServer) {
		return nil
	}
	p, ok := c.find(programs.Nginx, "server "+servers.NginxServer)
	if !ok {
		return nil
	}
	own := filepath.Join(dir, "nginx")
	c.servers = append(c.servers, servers.NginxProgram(p.Path, p.Version, own))
	return os.Mkdir(own, 0o700)
}

// find looks for a program without which something is left out.
func (c *comparison) find(program, leftOut string) (programs.Program, bool) {
	p, err := programs.Find(program)
	if err != nil {
		c.lacks(leftOut, err)
	}
	return p, err == nil
}

// lacks remarks on what is left out, and why.
func (c *comparison) lacks(what string, why error) {
	c.lacking = true
	c.data.Remarks = append(c.data.Remarks, "Without the "+what+": "+why.Error()+".")
}

// version is that of a server, or of its module in this program.
func version(s *servers.Server) string {
	switch {
	case s.Version != "":
		return s.Version
	case s.Module == "":
		return runtime.Version()
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == s.Module && m.Replace == nil {
			return m.Version
		}
	}
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "this checkout"
	}
	return "this checkout, " + strings.TrimSpace(string(out))
}
