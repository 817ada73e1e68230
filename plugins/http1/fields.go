package http1

import "iter"

// Fields are the fields of a head or of a trailer section, in the order in which
// they came. What its methods return are windows into the bytes that were parsed,
// and valid as long as those are: in a Handler, until it returns.
type Fields struct {
	src  []byte
	list []field
}

// field is where a field stands in src. The value is without the blanks around it.
type field struct{ name, value span }

// span is a part of a head: offsets, because the bytes may move while the rest is
// still to come.
type span struct{ from, to uint32 }

func (s span) in(p []byte) []byte { return p[s.from:s.to:s.to] }

// Len is the number of fields.
func (f *Fields) Len() int { return len(f.list) }

// Get returns the value of the first field of that name, whatever the case of its
// letters; nil if there is none. An empty value is not nil.
func (f *Fields) Get(name string) []byte {
	for i := range f.list {
		if e := &f.list[i]; int(e.name.to-e.name.from) == len(name) && equalFold(e.name.in(f.src), name) {
			return e.value.in(f.src)
		}
	}
	return nil
}

// All yields names, as they were sent, and values.
func (f *Fields) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for _, e := range f.list {
			if !yield(e.name.in(f.src), e.value.in(f.src)) {
				return
			}
		}
	}
}

// keptFields is how many fields a reused list has room for at most.
const keptFields = 128

// reset forgets the fields. Their memory is kept, unless there were many.
func (f *Fields) reset() {
	f.src = nil
	if f.list = f.list[:0]; cap(f.list) > keptFields {
		f.list = nil
	}
}

// line parses the field line that begins at p[at], and returns the index behind
// it; 0 if it is not there completely, or no field: fieldError tells.
func (f *Fields) line(p []byte, at int) (next int) {
	i := at
	for i < len(p) && class[p[i]]&isToken != 0 {
		i++
	}
	if i >= len(p)-1 || p[i] != ':' || i == at {
		return 0
	}
	name := span{uint32(at), uint32(i)}
	i++
	for i < len(p) && (p[i] == ' ' || p[i] == '\t') {
		i++
	}
	end := valueEnd(p, i)
	if end >= len(p)-1 || p[end] != '\r' || p[end+1] != '\n' {
		return 0
	}
	next = end + 2
	for end > i && (p[end-1] == ' ' || p[end-1] == '\t') {
		end--
	}
	f.list = append(f.list, field{name, span{uint32(i), uint32(end)}})
	return next
}

// fieldError returns what is wrong with a line that line did not accept. It ends
// in LF.
func fieldError(line []byte) *Error {
	switch {
	case line[0] == ' ' || line[0] == '\t':
		return errFold
	case !endsInCRLF(line):
		return errLineEnd
	}
	i := 0
	for class[line[i]]&isToken != 0 {
		i++
	}
	if i == 0 || line[i] != ':' {
		return errFieldName
	}
	return errFieldValue
}

// endsInCRLF reports whether a line, which ends in LF, has a CR before that and
// nowhere else.
func endsInCRLF(line []byte) bool {
	for i, c := range line {
		if c == '\r' {
			return i == len(line)-2
		}
	}
	return false
}
