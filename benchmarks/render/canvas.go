package render

import (
	"bytes"
	"image/color"

	weight "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of the charts. The background is white, also for readers whose pages are dark.
var (
	ink    = color.RGBA{0x22, 0x2b, 0x35, 0xff}
	faint  = color.RGBA{0x76, 0x80, 0x8a, 0xff}
	grid   = color.RGBA{0xe3, 0xe7, 0xeb, 0xff}
	paper  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	weirs  = color.RGBA{0x0a, 0x7d, 0x8c, 0xff}
	others = color.RGBA{0xb9, 0xc3, 0xcc, 0xff}
	behind = color.RGBA{0xd9, 0x7b, 0x29, 0xff}
	floors = color.RGBA{0xa6, 0x32, 0x32, 0xff}
)

// canvas is a drawing whose origin is at the top left, in points.
type canvas struct {
	svg           *vgsvg.Canvas
	draw          draw.Canvas
	fonts         text.Handler
	width, height float64
}

func newCanvas(width, height float64) *canvas {
	svg := vgsvg.New(vg.Length(width), vg.Length(height))
	c := &canvas{
		svg: svg, draw: draw.New(svg), width: width, height: height,
		fonts: text.Plain{Fonts: font.NewCache(liberation.Collection())},
	}
	c.box(0, 0, width, height, paper)
	return c
}

func (c *canvas) point(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x), Y: vg.Length(c.height - y)}
}

// box fills a rectangle.
func (c *canvas) box(x, y, width, height float64, fill color.Color) {
	c.draw.FillPolygon(fill, []vg.Point{
		c.point(x, y), c.point(x+width, y), c.point(x+width, y+height), c.point(x, y+height),
	})
}

// line draws a line; dashes may be nil.
func (c *canvas) line(x1, y1, x2, y2, width float64, stroke color.Color, dashes ...vg.Length) {
	style := draw.LineStyle{Color: stroke, Width: vg.Length(width), Dashes: dashes}
	c.draw.StrokeLines(style, []vg.Point{c.point(x1, y1), c.point(x2, y2)})
}

// lettering is how a text looks.
type lettering struct {
	size  float64
	bold  bool
	fill  color.Color
	right bool // it ends at x; else it begins there
}

// write writes s with its middle at the height of y.
func (c *canvas) write(x, y float64, s string, l lettering) {
	c.draw.FillText(c.style(l), c.point(x, y), s)
}

// label writes s over whatever is there.
func (c *canvas) label(x, y float64, s string, l lettering) {
	c.box(x-1.5, y-l.size*.6, c.style(l).Width(s).Points()+3, l.size*1.2, paper)
	c.write(x, y, s, l)
}

func (c *canvas) style(l lettering) draw.TextStyle {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Length(l.size)}
	if l.bold {
		f.Weight = weight.WeightBold
	}
	align := draw.XLeft
	if l.right {
		align = draw.XRight
	}
	return draw.TextStyle{Color: l.fill, Font: f, XAlign: align, YAlign: draw.YCenter, Handler: c.fonts}
}

// bytes is the finished drawing, as SVG. Where the font is not installed, one that is as wide takes its place.
func (c *canvas) bytes() ([]byte, error) {
	var b bytes.Buffer
	if _, err := c.svg.WriteTo(&b); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;")), nil
}
