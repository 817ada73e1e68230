// Package floor builds the echo server in C that the others are measured against: what it needs for a message, nobody can
// do without.
package floor

import (
	"context"
	_ "embed" // the program
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed src/floor.c
var source []byte

// ErrNoCompiler means that there is no C compiler.
var ErrNoCompiler = errors.New("no C compiler: neither cc, gcc nor clang is there")

// Build compiles the program into a directory and returns its path. It takes the port to listen on as its argument.
func Build(ctx context.Context, dir string) (string, error) {
	compiler := ""
	for _, name := range []string{"cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); err == nil {
			compiler = path
			break
		}
	}
	if compiler == "" {
		return "", ErrNoCompiler
	}
	file, program := filepath.Join(dir, "floor.c"), filepath.Join(dir, "floor")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, compiler, "-O2", "-o", program, file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("compile the floor: %w: %s", err, out)
	}
	return program, nil
}
