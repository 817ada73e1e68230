package codec

// A Kind is what a frame or a message is: the opcode of RFC 6455, section 5.2.
type Kind uint8

// The kinds. Continuation is one of frames alone; as the Kind of a [Message], it means
// that there is none yet.
const (
	Continuation Kind = 0
	Text         Kind = 1
	Binary       Kind = 2
	Close        Kind = 8
	Ping         Kind = 9
	Pong         Kind = 10
)

// Control reports whether frames of the kind are control frames, which are never
// fragmented and have at most 125 bytes (RFC 6455, section 5.5).
func (k Kind) Control() bool { return k&8 != 0 }

// String returns the name of the kind, in lower case.
func (k Kind) String() string {
	switch k {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "reserved"
}

// MaxControl is how many bytes a control frame can carry.
const MaxControl = 125

// A Message is what a peer has sent: text or binary data, or a control frame.
type Message struct {
	// Kind is Text, Binary, Close, Ping or Pong; 0 if there is no message yet.
	Kind Kind
	// Compressed says that Data is still compressed, see Compression.Inflate. Text
	// that is compressed has not been checked to be UTF-8.
	Compressed bool
	// Code is the one in a Close, or NoStatus if it has none.
	Code Code
	// Data is the payload; of a Close, the reason after the code.
	Data []byte
}
