package resp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Reply is one reply, as a client reads it.
type Reply struct {
	// Kind is the byte with which the reply began: '+' simple string, '-' error,
	// ':' integer, '$' string, '*' array, and of RESP3 '_' null, ',' double,
	// '#' boolean, '(' big number, '=' verbatim text, '!' long error, '%' map,
	// '~' set, '>' push. A null string or array of RESP2 is '_' too.
	Kind byte
	// Text is what a kind without elements consists of; of an integer or a double
	// its digits, of a boolean "t" or "f", of a verbatim text "txt:" and the text.
	Text string
	// Elements are those of an array, a set or a push, and the keys and values of
	// a map in turn.
	Elements []Reply
}

// The limits on a reply that is read.
const (
	maxReplyLine  = 64 << 10
	maxReplyText  = 512 << 20
	maxReplyDepth = 32
)

var errReply = errors.New("resp: not a reply")

// ReadReply reads the next reply from r, for tests and for clients that wait. The
// error is one of r, io.ErrUnexpectedEOF for a reply that isn't complete, or says
// what is wrong with it.
func ReadReply(r *bufio.Reader) (Reply, error) {
	if _, err := r.Peek(1); err != nil {
		return Reply{}, err
	}
	reply, err := readReply(r, maxReplyDepth)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return reply, err
}

func readReply(r *bufio.Reader, depth int) (Reply, error) {
	line, err := readLine(r)
	if err != nil {
		return Reply{}, err
	}
	if line == "" {
		return Reply{}, fmt.Errorf("%w: an empty line", errReply)
	}
	reply := Reply{Kind: line[0], Text: line[1:]}
	switch reply.Kind {
	case '+', '-', ':', ',', '#', '(', '_':
		return reply, nil
	case '$', '=', '!', '*', '~', '>', '%':
	default:
		return Reply{}, fmt.Errorf("%w: %.64q", errReply, line)
	}
	n, err := strconv.Atoi(reply.Text)
	reply.Text = ""
	switch {
	case err != nil || n < -1 || n > maxReplyText || depth == 0:
		return Reply{}, fmt.Errorf("%w: %.64q", errReply, line)
	case n == -1:
		return Reply{Kind: '_'}, nil
	case reply.Kind == '$' || reply.Kind == '=' || reply.Kind == '!':
		reply.Text, err = readText(r, n)
		return reply, err
	case reply.Kind == '%':
		n *= 2
	}
	for range n {
		element, err := readReply(r, depth-1)
		if err != nil {
			return Reply{}, err
		}
		reply.Elements = append(reply.Elements, element)
	}
	return reply, nil
}

// readLine reads a line and returns it without its end.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch text, ok := bytes.CutSuffix(line, []byte("\r\n")); {
		case ok:
			return string(text), nil
		case len(line) > maxReplyLine || err == nil:
			return "", fmt.Errorf("%w: %.64q", errReply, line)
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", err
		}
	}
}

// readText reads n bytes and the end of the line. Memory is taken for what has
// come, not for what was announced.
func readText(r *bufio.Reader, n int) (string, error) {
	var text strings.Builder
	if _, err := io.CopyN(&text, r, int64(n)+2); err != nil {
		return "", err
	}
	s, ok := strings.CutSuffix(text.String(), "\r\n")
	if !ok {
		return "", fmt.Errorf("%w: a string without its end", errReply)
	}
	return s, nil
}
