package runner

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/go-weir/weir/benchmarks/load"
	"github.com/go-weir/weir/benchmarks/servers"
)

// The sub-commands that this program starts itself with. They are no part of what a user types.
const (
	serveCommand = "serve"
	loadCommand  = "load"
)

// Child plays the part that the arguments of this program name, if it is a process that Measure has started, and reports
// whether it is.
func Child(args []string) (bool, error) {
	if len(args) == 0 {
		return false, nil
	}
	switch args[0] {
	case serveCommand:
		return true, serve(args[1:])
	case loadCommand:
		return true, makeLoad(os.Stdin, os.Stdout)
	}
	return false, nil
}

// serveArgs are the arguments with which a process of this program becomes a server.
func serveArgs(s *servers.Server, r servers.Role, c servers.Config, profile string) []string {
	args := []string{
		serveCommand, "-role", string(r), "-address", c.Address,
		"-loops", fmt.Sprint(c.Loops), "-in-flight", fmt.Sprint(c.InFlight), "-size", fmt.Sprint(c.Size),
	}
	if profile != "" {
		args = append(args, "-profile", profile)
	}
	return append(args, s.Name)
}

// serve runs one server until the process is killed, or, so that a profile can be written, asked to end.
func serve(args []string) error {
	var c servers.Config
	flags := flag.NewFlagSet(serveCommand, flag.ContinueOnError)
	role := flags.String("role", string(servers.Echo), "what to do with what is received")
	profile := flags.String("profile", "", "file for a CPU profile")
	flags.StringVar(&c.Address, "address", "127.0.0.1:0", "where to listen")
	flags.IntVar(&c.Loops, "loops", 1, "event loops")
	flags.IntVar(&c.InFlight, "in-flight", 64, "bytes that a peer sends before it waits")
	flags.IntVar(&c.Size, "size", 64, "bytes of a message")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := servers.Find(flags.Arg(0))
	if err != nil {
		return err
	}
	if *profile == "" {
		return s.Serve(servers.Role(*role), c)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return profiled(ctx, *profile, func() error { return s.Serve(servers.Role(*role), c) })
}

// profiled writes a CPU profile of the time until ctx ends.
func profiled(ctx context.Context, file string, serve func() error) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// makeLoad reads a load.Config and writes a load.Result.
func makeLoad(in io.Reader, out io.Writer) error {
	var c load.Config
	if err := json.NewDecoder(in).Decode(&c); err != nil {
		return err
	}
	r, err := load.Run(context.Background(), c)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}
