package http1

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
)

// Error is why a request was refused, and the cause (see weir.Connection.Err) of
// the connection's end: the client was sent the status, and nothing more of it is
// read, since nobody can say any more where its next request begins.
//
// One with status 408 is os.ErrDeadlineExceeded, too.
type Error struct {
	Status int    // the status code of the answer
	Reason string // what is wrong
}

func (e *Error) Error() string {
	return fmt.Sprintf("http1: %d %s: %s", e.Status, http.StatusText(e.Status), e.Reason)
}

// text is the body of the answer.
func (e *Error) text() string {
	return strconv.Itoa(e.Status) + " " + http.StatusText(e.Status) + ": " + e.Reason + "\n"
}

// Is reports whether e is a time-out and target stands for all of those.
func (e *Error) Is(target error) bool {
	return target == os.ErrDeadlineExceeded && e.Status == http.StatusRequestTimeout
}

// bad is an Error with status 400.
func bad(reason string) *Error { return &Error{http.StatusBadRequest, reason} }

// What can be wrong with the request line and the target.
var (
	errRequestLine   = bad("the request line is not a method, a target and a version with one space between them")
	errMethod        = bad("the method is not a token")
	errMethodLength  = &Error{http.StatusNotImplemented, "the method is longer than any there is"}
	errConnect       = &Error{http.StatusNotImplemented, "CONNECT: this is not a proxy"}
	errTarget        = bad("the request target is not a path, an absolute http URL, or * with OPTIONS")
	errTargetChar    = bad("a character in the request target that belongs percent-encoded")
	errVersion       = &Error{http.StatusHTTPVersionNotSupported, "the version is not HTTP/1.1 or HTTP/1.0"}
	errVersionSyntax = bad("the version is malformed")
	errLineEnd       = bad("a line that does not end in CR LF, or a CR in the middle of one")
	errLineLength    = &Error{http.StatusRequestURITooLong, "the request line is too long"}
)

// What can be wrong with fields.
var (
	errFieldName  = bad("a field name is not a token with a colon right behind it")
	errFieldValue = bad("a control character in a field value")
	errFold       = bad("a line that begins with a blank: folded fields are obsolete")
	errHeadLength = &Error{http.StatusRequestHeaderFieldsTooLarge, "the head is too long"}
	errFieldCount = &Error{http.StatusRequestHeaderFieldsTooLarge, "too many fields"}
	errNoHost     = bad("no Host field")
	errHosts      = bad("more than one Host field")
	errHost       = bad("the host is malformed")
	errExpect     = &Error{http.StatusExpectationFailed, "an expectation other than 100-continue"}
)

// What can be wrong with the framing of the body.
var (
	errLength        = bad("the Content-Length is not a number")
	errLengths       = bad("more than one Content-Length")
	errLengthCoding  = bad("both Content-Length and Transfer-Encoding")
	errCoding        = bad("the last transfer coding is not chunked, or chunked is not the last")
	errCodingSyntax  = bad("the Transfer-Encoding is malformed")
	errCodingVersion = bad("a Transfer-Encoding in HTTP/1.0, which has none")
	errCodingUnknown = &Error{http.StatusNotImplemented, "a transfer coding other than chunked"}
	errBodies        = &Error{http.StatusServiceUnavailable, "too many bodies at a time"}
	errBodyLength    = &Error{http.StatusRequestEntityTooLarge, "the body is too long"}
	errChunkSize     = bad("the size of a chunk is not a hexadecimal number")
	errChunkLine     = bad("the line with the size of a chunk is malformed or too long")
	errChunkEnd      = bad("a chunk does not end where its size says")
	errExtensions    = bad("too much in chunk extensions")
	errTrailer       = bad("a field in the trailer section that belongs in the head")
)

// What can take too long.
var (
	errHeadTime = &Error{http.StatusRequestTimeout, "the head did not come in time"}
	errBodyTime = &Error{http.StatusRequestTimeout, "the body did not come in time"}
)
