package eventloop

const (
	// chunkTasks is the number of tasks in a chunk, which has 7 KiB then.
	chunkTasks = 128
	// keptChunks is keptTasks in chunks.
	keptChunks = keptTasks / chunkTasks
)

// chunk is the storage of some tasks of a queue. Of those in use, only the last one of
// a list has room left.
type chunk struct {
	next  *chunk
	n     int // tasks posted to it
	tasks [chunkTasks]Task
}

// chunks is a list of them.
type chunks struct {
	first, last *chunk // nil: empty
	n           int
}

// push appends c.
func (l *chunks) push(c *chunk) {
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
	l.n++
}

// pop takes the first chunk off; nil if there is none.
func (l *chunks) pop() *chunk {
	c := l.first
	if c == nil {
		return nil
	}
	l.first, c.next = c.next, nil
	l.n--
	if l.first == nil {
		l.last = nil
	}
	return c
}

// splice appends all of other, which is empty then.
func (l *chunks) splice(other *chunks) {
	switch {
	case other.first == nil:
		return
	case l.last == nil:
		l.first = other.first
	default:
		l.last.next = other.first
	}
	l.last = other.last
	l.n += other.n
	*other = chunks{}
}
