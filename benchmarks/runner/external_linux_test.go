package runner

import (
	"os"
	"testing"
	"time"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/programs"
	"github.com/go-weir/weir/benchmarks/servers"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// find is a program of others. Without it the test is skipped, except where everything has to be there.
func find(t *testing.T, name string) programs.Program {
	t.Helper()
	p, err := programs.Find(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return p
}

// externally has every server of a role answer a client of others, in all cases of the workload of that role.
func externally(t *testing.T, role servers.Role, client []string, all []servers.Server) {
	t.Helper()
	r := newRunner(t)
	ws, err := workloads.Find([]string{string(role)})
	if err != nil {
		t.Fatal(err)
	}
	params := workloads.Params{Conns: []int{5}, Pipelines: []int{1, 3}, Warmup: time.Millisecond, Duration: 20 * time.Millisecond}
	played := 0
	for _, s := range all {
		if !s.Plays(role) {
			continue
		}
		played++
		for _, k := range ws[0].Cases(params) {
			t.Run(s.Name+"/"+k.Name, func(t *testing.T) {
				k.Load.Client = client
				result, err := r.Measure(t.Context(), s, Job{Role: role, InFlight: k.InFlight, Size: k.Size}, k.Load)
				if err != nil {
					t.Fatal(err)
				}
				if result.Messages == 0 || result.ServerCPU == 0 || result.LoadCPU == 0 || result.RSS == 0 || result.RTT.P50 == 0 ||
					result.Elapsed <= 0 {
					t.Errorf("%+v: something was not measured", result)
				}
			})
		}
	}
	if played < 3 {
		t.Errorf("only %d servers", played)
	}
}

func TestRedis(t *testing.T) {
	client, redis := find(t, programs.RedisBenchmark), find(t, programs.RedisServer)
	dir := t.TempDir()
	program, err := programs.BuildRedis(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	weir, err := servers.Find("weir")
	if err != nil {
		t.Fatal(err)
	}
	all := append(servers.All(), weir.WithRedis(program), servers.RedisProgram(redis.Path, redis.Version, dir))
	externally(t, servers.Redis, []string{client.Path}, all)
}

func TestHTTP(t *testing.T) {
	client, nginx := find(t, programs.Wrk), find(t, programs.Nginx)
	script, err := load.WrkScript(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := append(servers.All(), servers.NginxProgram(nginx.Path, nginx.Version, t.TempDir()))
	externally(t, servers.HTTP, []string{client.Path, "-s", script}, all)
}
