package weir

import (
	"fmt"
	"strconv"
)

// ConnID names one connection of one server for as long as the process runs:
// it is not given to another connection after this one has closed. It can be
// kept, sent to other systems and looked up with Server.Connection. 0 is none.
type ConnID uint64

// String is the ID as 16 hexadecimal digits.
func (id ConnID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// AppendText implements encoding.TextAppender; it never fails.
func (id ConnID) AppendText(b []byte) ([]byte, error) {
	return fmt.Appendf(b, "%016x", uint64(id)), nil
}

// MarshalText implements encoding.TextMarshaler; it never fails.
func (id ConnID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ConnID) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil || len(text) != 16 {
		return fmt.Errorf("weir: %q is no ConnID: it has 16 hexadecimal digits", text)
	}
	*id = ConnID(v)
	return nil
}
