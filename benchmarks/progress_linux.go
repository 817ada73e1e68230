package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sys/unix"
)

// progress tells how far a long run has come: a bar on a terminal, else a line for each case of a round. If nobody can be
// told, the run goes on all the same.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	total int
	done  int
	last  string
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, total: total}
	if f, ok := out.(*os.File); ok && isTerminal(f) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(out),
			progressbar.OptionSetWidth(30),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetElapsedTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(200*time.Millisecond),
		)
	}
	return p
}

// begin says what is being done.
func (p *progress) begin(what, server string) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s, %s", what, server))
		return
	}
	if what != p.last {
		p.last = what
		_, _ = fmt.Fprintf(p.out, "%3d %%  %s\n", 100*p.done/p.total, what)
	}
}

// step says that one measurement is done.
func (p *progress) step() {
	p.done++
	if p.bar != nil {
		_ = p.bar.Add(1) // it is a terminal's matter
	}
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	if p.bar != nil {
		_ = p.bar.Clear() // it is a terminal's matter
	}
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish() // it is a terminal's matter
	}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
