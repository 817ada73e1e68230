package http1

import "time"

// LateTime sets how long an answer waits for the end of a chunked body.
func LateTime(d time.Duration) Option { return func(o *options) { o.lateTime = d } }

// DecodeChunked decodes a chunked body that comes in pieces, with at most so many
// bytes of content. It returns the content, the trailer section, how many bytes the
// body had, and whether it is complete.
func DecodeChunked(limits Limits, most int64, pieces ...[]byte) (content []byte, trailer *Fields, n int, done bool, err error) {
	limits.fill()
	d := new(chunked)
	d.reset(&limits, most)
	for _, p := range pieces {
		p = append([]byte(nil), p...)
		for len(p) > 0 && !done {
			data, taken, end, failed := d.next(p)
			if failed != nil {
				return content, nil, n, false, failed
			}
			content = append(content, data...)
			p, n, done = p[taken:], n+taken, end
		}
	}
	return content, &d.trailer, n, done, nil
}

// ValueEnd is valueEnd.
var ValueEnd = valueEnd

// Waiting reports whether the Handler has yet to be given the body.
func (r *Request) Waiting() bool { return r.x.pending && r.x.onBody == nil }

// BodyMemoryUsed is how much of BodyMemory is in use.
func (p *Protocol) BodyMemoryUsed() int64 { return p.bodies.used.Load() }

// Waiting is how many requests wait for a worker, and how many clients of those have
// ended their half.
func (p *Pool) Waiting() (n, leaving int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting.length, p.waiting.leaving
}

// NewDates returns what makes the Date fields of a server.
func NewDates() (get func() string) {
	s := new(stamps)
	return func() string { return string(s.get().date) }
}
