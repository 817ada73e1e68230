package peertest

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket/internal/cases"
)

// A verdict on a case: as good as it can be, allowed by RFC 6455 but not that good (a
// message lost before the error, another close code, an end that is a reset), or wrong.
type verdict int

const (
	ok verdict = iota
	nonStrict
	failed
)

func (v verdict) String() string { return [...]string{"OK", "NON-STRICT", "FAILED"}[v] }

// TestStrict runs the list of cases against the program example/websocket, whole and
// with every frame cut at awkward places. All have to be OK.
func TestStrict(t *testing.T) {
	addr := example(t)
	var count [failed + 1]int
	for _, c := range cases.All() {
		for how, cuts := range map[string][]int{"whole": nil, "cut": awkward(c.In)} {
			v, why := try(t, addr, c, cuts)
			count[v]++
			if v != ok {
				t.Errorf("%-10s %-8s (%s), %s: %s", v, c.ID, c.Name, how, why)
			}
		}
	}
	t.Logf("%d OK, %d NON-STRICT, %d FAILED", count[ok], count[nonStrict], count[failed])
}

// example runs the echo server until the test ends, and returns its address.
func example(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "websocket")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/go-weir/weir/example/websocket").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "-addr", "127.0.0.1:0", "-loops", "1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // Wait tells
		if err := cmd.Wait(); err != nil {
			t.Errorf("the example ends with %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line[strings.LastIndexByte(line, ' ')+1 : len(line)-1]
}

// awkward returns cuts within the headers, the keys and the payloads of the first frames
// of a stream, and every 64 KiB of what follows.
func awkward(in []byte) (cuts []int) {
	at := 0
	for range 40 {
		if at+2 > len(in) {
			break
		}
		length, size := uint64(in[at+1]&0x7f), 2
		switch length {
		case 126:
			size = 4
		case 127:
			size = 10
		}
		if at+size > len(in) {
			break
		}
		switch size {
		case 4:
			length = uint64(binary.BigEndian.Uint16(in[at+2:]))
		case 10:
			length = binary.BigEndian.Uint64(in[at+2:])
		}
		key := at + size
		if in[at+1]&0x80 != 0 {
			size += 4
		}
		start := at + size
		cuts = append(cuts, at+1, at+2, key-1, key, key+1, start-1, start, start+1)
		if length > uint64(len(in)) {
			break
		}
		end := start + int(length)
		cuts = append(cuts, start+int(length)/2, end-1, end)
		at = end
	}
	for at += 64 << 10; at < len(in); at += 64 << 10 {
		cuts = append(cuts, at)
	}
	return cuts
}

// wire is a connection of which nothing is hidden.
type wire struct {
	net.Conn
	r      *bufio.Reader
	window []byte // what was inflated last
	offer  bool
}

func open(addr, offer string) (*wire, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn, r: bufio.NewReader(conn), offer: offer != ""}
	head := "GET / HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if offer != "" {
		head += "Sec-WebSocket-Extensions: " + offer + "\r\n"
	}
	err = errors.Join(conn.SetDeadline(time.Now().Add(patience)), write(conn, []byte(head+"\r\n")))
	if err != nil {
		return w, err
	}
	reply, err := http.ReadResponse(w.r, nil)
	switch {
	case err != nil:
		return w, err
	case reply.StatusCode != http.StatusSwitchingProtocols, reply.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=":
		return w, fmt.Errorf("answered %s %v", reply.Status, reply.Header)
	case w.offer != strings.HasPrefix(reply.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate"):
		return w, fmt.Errorf("%q is answered %q", offer, reply.Header.Get("Sec-WebSocket-Extensions"))
	}
	return w, nil
}

func write(w io.Writer, p []byte) error {
	_, err := w.Write(p)
	return err
}

// next reads a frame. A server has no reason to send fragments, and ours doesn't.
func (w *wire) next() (cases.Event, error) {
	var e cases.Event
	var head [2]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return e, err
	}
	n := uint64(head[1])
	var long [8]byte
	switch head[1] {
	case 126:
		_, _ = io.ReadFull(w.r, long[6:]) // the payload's error will be the same
		n = binary.BigEndian.Uint64(long[:])
	case 127:
		_, _ = io.ReadFull(w.r, long[:])
		n = binary.BigEndian.Uint64(long[:])
	}
	e.Kind = head[0] & 0x0f
	deflated := head[0]&0x40 != 0
	switch {
	case head[0]&0xb0 != 0x80, head[1]&0x80 != 0, deflated && (!w.offer || e.Kind > cases.Binary),
		head[1] == 126 && n < 126, head[1] == 127 && n < 1<<16, n > 32<<20, e.Kind > cases.Binary && n > 125:
		return e, fmt.Errorf("frame with the header % x, length %d", head, n)
	}
	e.Data = make([]byte, n)
	if _, err := io.ReadFull(w.r, e.Data); err != nil {
		return e, fmt.Errorf("within a frame: %w", err)
	}
	if !deflated {
		return e, nil
	}
	return e, w.inflate(&e)
}

// inflate works for all that may be agreed on: who has no context refers to none.
func (w *wire) inflate(e *cases.Event) (err error) {
	in := io.MultiReader(bytes.NewReader(e.Data), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	if e.Data, err = io.ReadAll(flate.NewReaderDict(in, w.window)); err != nil {
		return fmt.Errorf("inflating: %w", err)
	}
	w.window = append(w.window, e.Data...)
	w.window = w.window[max(0, len(w.window)-32<<10):]
	return nil
}

// closing is a close frame of a client, with 1000.
var closing = []byte{0x88, 0x82, 0, 0, 0, 0, 3, 232}

// try runs one case.
func try(t *testing.T, addr string, c cases.Case, cuts []int) (verdict, string) {
	t.Helper()
	w, err := open(addr, c.Offer)
	if w != nil {
		defer w.Close()
	}
	if err != nil {
		return failed, err.Error()
	}
	wrote := make(chan error, 1)
	want := c.Replies()
	weClose := len(want) == 0 || want[len(want)-1].Kind != cases.Close
	go func() { // not to wait for each other
		at := 0
		for _, cut := range append(cuts[:len(cuts):len(cuts)], len(c.In)) {
			if cut = min(cut, len(c.In)); cut <= at {
				continue
			}
			if err := write(w, c.In[at:cut]); err != nil {
				wrote <- err
				return
			}
			at = cut
			if len(cuts) > 0 {
				time.Sleep(time.Microsecond) // so that what is cut arrives in pieces, more often than not
			}
		}
		var err error
		if weClose {
			err = write(w, closing)
		}
		wrote <- err
	}()
	if weClose {
		want = append(want, cases.Event{Kind: cases.Close, Data: closing[6:]})
	}
	v, why := w.judge(want)
	if v == failed {
		return v, why
	}
	if err := <-wrote; err != nil && v == ok {
		return nonStrict, "writing: " + err.Error()
	}
	if !weClose && c.Fails != 0 {
		_ = write(w, closing) // which the server may not wait for
	}
	if err := w.CloseWrite(); err != nil && v == ok {
		return nonStrict, err.Error()
	}
	return v, why
}

func (w *wire) CloseWrite() error { return w.Conn.(*net.TCPConn).CloseWrite() }

// judge reads what has to come, and the end.
func (w *wire) judge(want []cases.Event) (verdict, string) {
	for i, expected := range want {
		got, err := w.next()
		switch {
		case err != nil:
			return failed, fmt.Sprintf("reply %d of %d: %v", i+1, len(want), err)
		case got.Kind == cases.Close && expected.Kind != cases.Close:
			return nonStrict, fmt.Sprintf("a close frame % x instead of reply %d of %d", got.Data, i+1, len(want))
		case got.Kind != expected.Kind:
			return failed, fmt.Sprintf("reply %d is of kind %d, not %d", i+1, got.Kind, expected.Kind)
		case got.Kind == cases.Close && !bytes.Equal(got.Data[:min(2, len(got.Data))], expected.Data):
			return nonStrict, fmt.Sprintf("close with % x, not % x", got.Data, expected.Data)
		case got.Kind != cases.Close && !bytes.Equal(got.Data, expected.Data):
			return failed, fmt.Sprintf("reply %d is %.40q (%d bytes), not %.40q (%d bytes)", i+1, got.Data, len(got.Data), expected.Data, len(expected.Data))
		}
	}
	if rest, err := io.ReadAll(w.r); len(rest) > 0 {
		return failed, fmt.Sprintf("%d bytes behind the close frame", len(rest))
	} else if err != nil {
		return nonStrict, "the end: " + err.Error()
	}
	return ok, ""
}
