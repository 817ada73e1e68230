package servers

import (
	"os"
	"strings"
	"testing"
)

func TestNginxConfiguration(t *testing.T) {
	dir := t.TempDir()
	s := NginxProgram("/bin/nginx", "1.2", dir)
	args, err := s.Command(HTTP, Config{Address: "127.0.0.1:1234"})
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(args[len(args)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen 127.0.0.1:1234;", "location = /plaintext {", `return 200 "Hello, World!";`, "pid " + dir} {
		if !strings.Contains(string(config), want) {
			t.Errorf("the configuration does not say %q", want)
		}
	}
	for _, word := range []string{"{address}", "{dir}", "{path}", "{body}"} {
		if strings.Contains(string(config), word) {
			t.Errorf("%s was not filled in", word)
		}
	}
	if _, err := NginxProgram("/bin/nginx", "1.2", args[len(args)-1]).Command(HTTP, Config{}); err == nil {
		t.Error("no error for a directory that is a file")
	}
}

func TestWithRedis(t *testing.T) {
	weir, err := Find("weir")
	if err != nil {
		t.Fatal(err)
	}
	with := weir.WithRedis("/bin/weir-redis")
	if weir.Plays(Redis) || !with.Plays(Redis) || !with.Plays(Echo) {
		t.Errorf("weir plays %v, with a program %v", weir.Roles, with.Roles)
	}
	args, err := with.Command(Redis, Config{Address: "127.0.0.1:1", Loops: 3})
	if err != nil || strings.Join(args, " ") != "/bin/weir-redis -addr 127.0.0.1:1 -loops 3" {
		t.Errorf("%v, %v", args, err)
	}
}

func TestRedisProgram(t *testing.T) {
	s := RedisProgram("/bin/redis-server", "1.2", "/tmp")
	args, err := s.Command(Redis, Config{Address: "127.0.0.1:1234"})
	if all := strings.Join(args, " "); err != nil || !strings.Contains(all, "--bind 127.0.0.1 --port 1234") {
		t.Errorf("%s, %v", all, err)
	}
	if _, err := s.Command(Redis, Config{Address: "nowhere"}); err == nil {
		t.Error("no error for an address that is none")
	}
}
