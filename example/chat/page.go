package main

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"

	"github.com/go-weir/weir/plugins/http1"
)

//go:embed page/*.html page/*.css page/*.js page/*.svg
var files embed.FS

// asset is a file of the page.
type asset struct {
	kind string
	tag  string // changes with the file
	body []byte
}

// kinds are the media types by the end of a file's name. What the system says about
// them, as package mime would ask it, differs from one to the next.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// assets are the files by the path in their URL.
var assets = readAssets(files)

func readAssets(from embed.FS) map[string]asset {
	all := make(map[string]asset)
	names, _ := fs.Glob(from, "page/*") // the pattern is good
	for _, name := range names {
		body, err := from.ReadFile(name)
		if err != nil {
			panic(err) // the program is built wrong
		}
		a := asset{kinds[path.Ext(name)], fmt.Sprintf(`"%x"`, sha256.Sum256(body)), body}
		all["/"+path.Base(name)] = a
	}
	all["/"] = all["/index.html"]
	return all
}

// policy lets the page load what comes from here and nothing else, inline scripts
// included: even if text were ever taken for HTML, it could not run.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serve answers with the file, or says that the browser has it.
func (a *asset) serve(w *http1.Response, known bool) {
	w.Header("Cache-Control", "no-cache")
	w.Header("ETag", a.tag)
	if known {
		w.Status(http.StatusNotModified)
		return
	}
	w.ContentType(a.kind)
	w.Header("Content-Security-Policy", policy)
	w.Header("X-Content-Type-Options", "nosniff")
	w.Header("Referrer-Policy", "no-referrer")
	w.SetBody(a.body)
}
