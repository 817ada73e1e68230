package programs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// ErrNoGo means that there is no go command.
var ErrNoGo = errors.New("the go command is not installed")

// BuildRedis builds weir's example/redis into a directory and returns its path. The working directory has to be in the
// module of the benchmarks.
func BuildRedis(ctx context.Context, dir string) (string, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", ErrNoGo
	}
	program := filepath.Join(dir, "weir-redis")
	cmd := exec.CommandContext(ctx, tool, "build", "-buildvcs=false", "-o", program, "github.com/go-weir/weir/example/redis")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build example/redis: %w: %s", err, out)
	}
	return program, nil
}
