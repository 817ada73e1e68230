package weir_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestServerInDocs: the server that README.md and the package comment show is
// the one in example/upper, which is compiled.
func TestServerInDocs(t *testing.T) {
	program := document(t, "example/upper/main.go")
	program = program[strings.Index(program, "package main\n"):]

	readme := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(document(t, "README.md"))
	if len(readme) == 0 || readme[1] != program {
		t.Error("README.md shows another server than example/upper")
	}

	var comment strings.Builder
	for line := range strings.Lines(program) {
		comment.WriteString(strings.TrimRight("//\t"+line, "\t\n") + "\n")
	}
	if !strings.Contains(document(t, "doc.go"), "\n"+comment.String()+"//\n// ") {
		t.Error("doc.go shows another server than example/upper")
	}
}

// TestREADMELength: one screen of a page, not a book.
func TestREADMELength(t *testing.T) {
	if n := strings.Count(document(t, "README.md"), "\n"); n > 160 {
		t.Errorf("README.md has %d lines, more than 160", n)
	}
}

// TestLinks: the files that the documents point to are there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^):#]+)\)`)
	for dir, files := range map[string][]string{
		".":     {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"},
		"docs/": {"docs/ARCHITECTURE.md", "docs/migrating-from-gev.md"},
	} {
		for _, file := range files {
			for _, m := range link.FindAllStringSubmatch(document(t, file), -1) {
				if _, err := os.Stat(dir + "/" + m[1]); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
}

func document(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
