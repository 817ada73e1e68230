package codec

import "strconv"

// A Code says why a connection is closed (RFC 6455, section 7.4).
type Code uint16

// The codes of the IANA registry. The last three are never sent: they stand for a
// close frame without a code, for the lack of a close frame, for a TLS handshake that
// failed.
const (
	NormalClosure      Code = 1000
	GoingAway          Code = 1001
	ProtocolError      Code = 1002
	UnsupportedData    Code = 1003
	InvalidPayload     Code = 1007
	PolicyViolation    Code = 1008
	MessageTooBig      Code = 1009
	MandatoryExtension Code = 1010
	InternalError      Code = 1011
	ServiceRestart     Code = 1012
	TryAgainLater      Code = 1013
	BadGateway         Code = 1014

	NoStatus        Code = 1005
	AbnormalClosure Code = 1006
	TLSHandshake    Code = 1015
)

// Valid reports whether a close frame may carry the code: one that is registered and
// not reserved, of 1000 to 2999, or any of 3000 to 4999, which are for libraries and
// applications (RFC 6455, section 7.4.2).
func (c Code) Valid() bool {
	switch {
	case c < NormalClosure:
		return false
	case c <= UnsupportedData:
		return true
	case c < InvalidPayload: // 1004 is reserved, 1005 and 1006 are never sent
		return false
	case c <= BadGateway:
		return true
	}
	return c >= 3000 && c <= 4999
}

// String returns the code in digits.
func (c Code) String() string { return strconv.Itoa(int(c)) }
