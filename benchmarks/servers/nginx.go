package servers

import (
	_ "embed" // the configuration
	"os"
	"path/filepath"
	"strings"

	"github.com/go-weir/weir/benchmarks/load"
)

// NginxServer is the name of nginx.
const NginxServer = "nginx"

//go:embed nginx.conf
var nginxConfig string

// NginxProgram is the nginx at that path. Its configuration, and whatever it writes, is in dir.
func NginxProgram(program, version, dir string) Server {
	return Server{
		Name: NginxServer, Version: version,
		Setup: "one worker without a master, no access log, keep-alive without end, the answer in its configuration",
		Roles: map[Role]func(Config) error{HTTP: nil},
		Command: func(_ Role, c Config) ([]string, error) {
			file := filepath.Join(dir, "nginx.conf")
			config := strings.NewReplacer(
				"{address}", c.Address, "{dir}", dir, "{path}", load.Plaintext, "{body}", load.PlaintextBody,
			).Replace(nginxConfig)
			return []string{program, "-p", dir, "-c", file}, os.WriteFile(file, []byte(config), 0o600)
		},
	}
}
