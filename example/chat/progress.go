package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress is a bar on a terminal; elsewhere, a line for each phase. It is for any
// goroutine.
type progress struct {
	// set once
	w        io.Writer
	terminal bool

	// guarded by mu
	mu    sync.Mutex
	name  string
	of, n int
	drawn time.Time
}

const (
	barWidth = 40
	redraw   = 50 * time.Millisecond
)

func newProgress(f *os.File) *progress {
	info, err := f.Stat()
	return &progress{w: f, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// phase begins a new bar, that is full at so many.
func (p *progress) phase(name string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.name, p.of, p.n = name, max(1, of), 0
	if p.terminal {
		p.draw()
	} else {
		_, _ = fmt.Fprintln(p.w, name) // it is for a human, who may have gone
	}
}

// add moves it on.
func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(p.n + n)
}

// set moves it to n.
func (p *progress) set(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(n)
}

// end fills the bar and leaves its line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.name = ""
}

func (p *progress) move(n int) {
	p.n = min(n, p.of)
	if p.terminal && time.Since(p.drawn) >= redraw {
		p.draw()
	}
}

func (p *progress) finish() {
	if p.terminal && p.name != "" {
		p.n = p.of
		p.draw()
		_, _ = fmt.Fprintln(p.w)
	}
}

func (p *progress) draw() {
	p.drawn = time.Now()
	full := p.n * barWidth / p.of
	_, _ = fmt.Fprintf(p.w, "\r%-11s%s%s %3d %%", p.name, strings.Repeat("█", full), strings.Repeat("░", barWidth-full), p.n*100/p.of)
}
