package codec

import "errors"

// An Error ends a connection: the peer broke the protocol, or went past a limit. All
// are variables of this package and can be compared with errors.Is.
type Error struct {
	// Code is what the close frame to the peer carries.
	Code Code
	// Reason is one line for that frame, and for a log.
	Reason string
}

// Error returns the reason with the code.
func (e *Error) Error() string { return "websocket: " + e.Reason + " (" + e.Code.String() + ")" }

// What [Decoder.Next] finds wrong with a frame.
var (
	ErrReservedBits   = &Error{ProtocolError, "reserved bits are set"}
	ErrOpcode         = &Error{ProtocolError, "unknown opcode"}
	ErrUnmasked       = &Error{ProtocolError, "frame of a client without a mask"}
	ErrMasked         = &Error{ProtocolError, "frame of a server with a mask"}
	ErrControlFrame   = &Error{ProtocolError, "control frame fragmented or longer than 125 bytes"}
	ErrContinuation   = &Error{ProtocolError, "continuation of no message"}
	ErrInterleaved    = &Error{ProtocolError, "new message within a fragmented one"}
	ErrLength         = &Error{ProtocolError, "length over 2^63 or not in its shortest form"}
	ErrCloseFrame     = &Error{ProtocolError, "close frame of one byte, or with a code that must not be sent"}
	ErrUTF8           = &Error{InvalidPayload, "not valid UTF-8"}
	ErrMessageTooBig  = &Error{MessageTooBig, "message too big"}
	ErrTooManyFrames  = &Error{PolicyViolation, "message of too many frames"}
	ErrTooMuchPending = &Error{TryAgainLater, "too many unfinished messages"}
)

// What [Compression.Inflate] finds wrong with a message, besides ErrUTF8.
var (
	ErrInflate        = &Error{InvalidPayload, "compressed data is corrupt"}
	ErrInflatedTooBig = &Error{MessageTooBig, "message too big when inflated"}
)

// Errors of the negotiation of extensions.
var (
	// ErrExtensionSyntax is why [Codec.Negotiate] fails a handshake.
	ErrExtensionSyntax = errors.New("websocket: Sec-WebSocket-Extensions is not a list of extensions")
	// ErrExtension is why [Codec.Confirm] refuses a reply.
	ErrExtension = errors.New("websocket: the server answers an extension that was not offered, or not like this")
)
