package render

import (
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"github.com/go-weir/weir/benchmarks/compare"
	"github.com/go-weir/weir/benchmarks/workloads"
)

// The measures of the charts, in points.
const (
	chartWidth = 760
	margin     = 14
	rowHeight  = 16
	barHeight  = 10
	titleSize  = 10.5
	nameSize   = 9
	nameWidth  = 50 // room for a server's name
	valueWidth = 54 // room for a value behind its bar
)

// panels draws a figure of several cases side by side: for each case a bar for every server, the best first, and the
// floor as a line.
func panels(heading string, cases []*compare.Case, f workloads.Figure) ([]byte, error) {
	columns := min(len(cases), 2)
	switch {
	case len(cases) <= 9 && len(cases)%3 == 0:
		columns = 3
	case len(cases) > 8:
		columns = 4
	}
	rows := (len(cases) + columns - 1) / columns
	most := 0
	for _, c := range cases {
		most = max(most, len(c.Ranking(f)))
	}
	panelHeight := float64(most)*rowHeight + 44
	const head = 42
	c := newCanvas(chartWidth, head+float64(rows)*panelHeight+margin)
	c.write(margin, 20, heading, lettering{size: 13, bold: true, fill: ink})
	width := (chartWidth - margin) / float64(columns)
	for i, cs := range cases {
		p := panel{
			canvas: c, x: margin + float64(i%columns)*width, y: head + float64(i/columns)*panelHeight,
			width: width - margin, height: panelHeight,
		}
		p.draw(cs, f)
	}
	return c.bytes()
}

// panel is the part of a chart that one case has.
type panel struct {
	*canvas
	x, y, width, height float64
}

func (p *panel) draw(c *compare.Case, f workloads.Figure) {
	p.write(p.x, p.y+8, c.Name, lettering{size: titleSize, bold: true, fill: ink})
	names := c.Ranking(f)
	floor := c.Of(compare.Floor, f)
	full := 0.0
	for _, name := range names {
		full = max(full, c.Of(name, f).High)
	}
	if floor.Known() {
		full = max(full, floor.Median)
	}
	if full <= 0 {
		return
	}
	left := p.x + nameWidth
	scale := (p.width - nameWidth - valueWidth) / full
	top := p.y + 22.0
	for i, name := range names {
		p.bar(left, top+(float64(i)+.5)*rowHeight, scale, name, c.Of(name, f))
	}
	bottom := top + float64(len(names))*rowHeight
	p.line(left, top-2, left, bottom, .75, faint)
	if floor.Known() {
		x := left + floor.Median*scale
		p.line(x, top-4, x, bottom, 1.2, floors, vg.Length(4), vg.Length(2.5))
		p.write(x, bottom+6, "floor "+amount(floor.Median, f.Unit), lettering{size: 8, fill: floors, right: x > left+70})
	}
	for i, name := range names {
		s := c.Of(name, f)
		l := lettering{size: nameSize, bold: name == compare.Weir, fill: ink}
		p.label(left+max(s.Median, s.High)*scale+4, top+(float64(i)+.5)*rowHeight, amount(s.Median, f.Unit), l)
	}
}

// bar draws one server's bar, with the interval of its rounds as a thin line.
func (p *panel) bar(left, middle, scale float64, name string, s compare.Spread) {
	fill, bold := others, name == compare.Weir
	if bold {
		fill = weirs
	}
	p.write(left-6, middle, name, lettering{size: nameSize, bold: bold, fill: ink, right: true})
	p.box(left, middle-barHeight/2, max(s.Median*scale, .5), barHeight, fill)
	if s.N > 1 {
		p.line(left+s.Low*scale, middle, left+s.High*scale, middle, 1.2, ink)
	}
}

// overview draws for every case how weir stands against the best of the others.
func overview(entries []entry) ([]byte, error) {
	const (
		head      = 62
		nameWidth = 250
		largest   = 4 // what is more is cut off
	)
	c := newCanvas(chartWidth, head+float64(len(entries))*rowHeight+2*margin)
	c.write(margin, 18, "weir against the best of the others, case by case", lettering{size: 13, bold: true, fill: ink})
	left, right := float64(margin+nameWidth), float64(chartWidth-margin-90)
	lowest, highest := .8, 1.25
	for _, e := range entries {
		if e.verdict.Ratio.Known() {
			lowest, highest = min(lowest, e.verdict.Ratio.Low), max(highest, e.verdict.Ratio.High)
		}
	}
	from, to := math.Log(max(lowest, 1.0/largest)), math.Log(min(highest, largest))
	at := func(ratio float64) float64 {
		return left + (right-left)*min(1, max(0, (math.Log(ratio)-from)/(to-from)))
	}
	bottom := head + float64(len(entries))*rowHeight
	for _, r := range []float64{1. / 3, .5, .75, 1.5, 2, 3} {
		if l := math.Log(r); l > from && l < to {
			c.line(at(r), head-4, at(r), bottom, .6, grid)
			c.write(at(r)-9, head-11, trim(r)+"×", lettering{size: 8, fill: faint})
		}
	}
	c.write(at(1)+5, 36, "weir is better →", lettering{size: 9, fill: weirs})
	c.write(at(1)-5, 36, "← the other is better", lettering{size: 9, fill: behind, right: true})
	for i, e := range entries {
		e.draw(c, at, head+(float64(i)+.5)*rowHeight)
	}
	c.line(at(1), head-4, at(1), bottom, 1, ink)
	return c.bytes()
}

// entry is one case in the overview.
type entry struct {
	label   string
	verdict compare.Verdict
}

func (e *entry) draw(c *canvas, at func(float64) float64, y float64) {
	c.write(margin, y, e.label, lettering{size: nameSize, fill: ink})
	r := e.verdict.Ratio
	if !r.Known() {
		c.write(at(1)+5, y, "no figure", lettering{size: nameSize, fill: faint})
		return
	}
	fill := others
	switch e.verdict.Outcome {
	case compare.Ahead:
		fill = weirs
	case compare.Behind:
		fill = behind
	}
	x := []float64{at(1), at(r.Median)}
	slices.Sort(x)
	c.box(x[0], y-barHeight/2, max(x[1]-x[0], 1), barHeight, fill)
	if r.N > 1 {
		c.line(at(r.Low), y, at(r.High), y, 1.2, ink)
	}
	c.write(max(at(r.High), at(1))+6, y, trim(r.Median)+"× "+e.verdict.Rival, lettering{size: nameSize, fill: ink})
}
