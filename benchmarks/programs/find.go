package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// Program is one that is installed here.
type Program struct {
	Name    string
	Path    string
	Version string // "unknown" if it does not tell
}

// ErrMissing means that a program is not installed.
var ErrMissing = errors.New("not installed")

// The programs.
const (
	RedisBenchmark = "redis-benchmark"
	RedisServer    = "redis-server"
	Wrk            = "wrk"
	Nginx          = "nginx"
)

// distribution is what Debian calls the package that a program is in, and how the program is asked for its version.
func distribution(name string) (pkg, flag string) {
	switch name {
	case RedisBenchmark:
		return "redis-tools", "--version"
	case RedisServer:
		return "redis-server", "--version"
	case Nginx:
		return "nginx-light", "-v"
	}
	return name, "-v"
}

// Find looks for a program. The error is ErrMissing, with the name of Debian's package for it.
func Find(name string) (Program, error) {
	pkg, flag := distribution(name)
	path, err := exec.LookPath(name)
	if err != nil {
		// Where Debian puts what it takes for a matter of root alone.
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		return Program{}, fmt.Errorf("%s is %w; on Debian it is in the package %s", name, ErrMissing, pkg)
	}
	cmd := exec.Command(path, flag)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	said, _ := cmd.CombinedOutput() // wrk says it and fails
	return Program{Name: name, Path: path, Version: version(said)}, nil
}

var number = regexp.MustCompile(`\d+\.\d+(\.\d+)*`)

// version is the first thing in what was said that looks like one.
func version(said []byte) string {
	if v := number.Find(said); v != nil {
		return string(v)
	}
	return "unknown"
}
