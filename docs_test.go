package weir_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// TestLists: README.md and doc.go list every method of a Connection that is loop only and
// every optional interface, and call no other method loop only.
func TestLists(t *testing.T) {
	names := regexp.MustCompile(`[A-Z]\w+`)
	comment, readme := document(t, "doc.go"), document(t, "README.md")
	inComment := names.FindAllString(between(t, comment, "\"loop only\". These are", ", and Stop of the Timer"), -1)
	inReadme := names.FindAllString(column(between(t, readme, "| any goroutine | loop only", "\n\n"), 2), -1)
	pkg := parsePackage(t)
	var loopOnly []string
	for _, f := range methodsOf(t, pkg, "Connection") {
		if strings.Contains(strings.Join(strings.Fields(strings.ToLower(f.Doc)), " "), "loop only") {
			loopOnly = append(loopOnly, f.Name)
		}
	}
	slices.Sort(loopOnly)
	for file, list := range map[string][]string{"doc.go": inComment, "README.md": inReadme} {
		if slices.Sort(list); !slices.Equal(list, loopOnly) {
			t.Errorf("%s calls these methods loop only:\n%v\ntheir comments say so of\n%v", file, list, loopOnly)
		}
	}
	for _, v := range pkg.Types {
		of, ok := v.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.InterfaceType)
		if !ok || slices.Contains([]string{"Handler", "CallBack", "Protocol", "Strategy"}, v.Name) {
			continue // no interface, or none that is optional
		}
		if !strings.Contains(comment, "["+v.Name+"]") {
			t.Errorf("doc.go does not name %s", v.Name)
		}
		for _, method := range of.Methods.List {
			if name := method.Names[0].Name; !strings.Contains(readme, name+"(") {
				t.Errorf("README.md does not name %s of %s", name, v.Name)
			}
		}
	}
}

// between is what stands in text between the first begin and the next end.
func between(t *testing.T, text, begin, end string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, begin)
	part, _, found := strings.Cut(rest, end)
	if !ok || !found {
		t.Fatalf("nothing stands between %q and %q", begin, end)
	}
	return part
}

// column is column n of a table's rows behind its head.
func column(table string, n int) string {
	var b strings.Builder
	for _, row := range strings.Split(table, "\n")[2:] {
		b.WriteString(strings.Split(row, "|")[n])
	}
	return b.String()
}

// parsePackage is the documentation of package weir.
func parsePackage(t *testing.T) *doc.Package {
	t.Helper()
	files := token.NewFileSet()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	pkg, err := doc.NewFromFiles(files, parsed, "github.com/go-weir/weir")
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func methodsOf(t *testing.T, pkg *doc.Package, name string) []*doc.Func {
	t.Helper()
	for _, v := range pkg.Types {
		if v.Name == name {
			return v.Methods
		}
	}
	t.Fatalf("there is no type %s", name)
	return nil
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
