// Package docs_test compares the code in the documentation with the code that it
// is taken from.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A block of code that begins with "```go NAME" is from a file of that name.
var block = regexp.MustCompile("(?ms)^```go (\\S+)\n(.*?)^```$")

func TestWritingAProtocol(t *testing.T) {
	const dir = "../example/customprotocol"
	page := read(t, "writing-a-protocol.md")
	blocks := make(map[string][]string)
	for _, m := range block.FindAllStringSubmatch(page, -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	if strings.Count(page, "```go ") != strings.Count(page, "```go") {
		t.Error("a block of Go code does not say which file it is from")
	}
	for _, name := range []string{"telegram.go", "telegram_test.go", "allocs_test.go"} {
		file := read(t, filepath.Join(dir, "telegram", name))
		if on := strings.Join(blocks[name], "\n"); on != file {
			t.Errorf("%s is not what is on the page; %s", name, difference(file, on))
		}
		delete(blocks, name)
	}
	for _, excerpt := range blocks["main.go"] {
		if !strings.Contains(read(t, filepath.Join(dir, "main.go")), excerpt) {
			t.Errorf("this is not in main.go:\n%s", excerpt)
		}
	}
	delete(blocks, "main.go")
	for name := range blocks {
		t.Errorf("nobody knows what %s is", name)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// difference shows the first line that isn't the same.
func difference(file, page string) string {
	f, p := strings.Split(file, "\n"), strings.Split(page, "\n")
	for i := range min(len(f), len(p)) {
		if f[i] != p[i] {
			return "the file has\n" + f[i] + "\nthe page has\n" + p[i]
		}
	}
	return "one of them is longer"
}
