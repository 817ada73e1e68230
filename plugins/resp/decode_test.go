package resp_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-weir/weir/plugins/resp"
)

// decode feeds stream to a decoder in pieces whose sizes next says. The bytes move
// whenever one comes.
func decode(p *resp.Protocol, stream []byte, next func() int) (commands [][]string, err resp.ProtocolError) {
	d := resp.NewDecoder(p)
	var buffer []byte
	for len(stream) > 0 {
		n := min(max(next(), 1), len(stream))
		moved := slices.Concat(buffer, stream[:n])
		for i := range buffer {
			buffer[i] = '#'
		}
		buffer, stream = moved, stream[n:]
		for len(buffer) > 0 {
			args, n, err := d.Decode(buffer)
			if err != "" {
				return commands, err
			}
			if n == 0 {
				break
			}
			if len(args) > 0 {
				commands = append(commands, toStrings(args))
			}
			buffer = buffer[n:]
		}
	}
	return commands, ""
}

func toStrings(args [][]byte) []string {
	var list []string
	for _, arg := range args {
		list = append(list, string(arg))
	}
	return list
}

// reference does the same in the obvious way: all at once, from the beginning.
func reference(c resp.Config, stream string) (commands [][]string, err string) {
	for stream != "" {
		var args []string
		var ok bool
		if stream[0] == '*' {
			args, stream, ok, err = referenceArray(c, stream)
		} else {
			args, stream, ok, err = referenceInline(c, stream)
		}
		if !ok || err != "" {
			break
		}
		if len(args) > 0 {
			commands = append(commands, args)
		}
	}
	return commands, err
}

func referenceArray(c resp.Config, s string) (args []string, rest string, ok bool, err string) {
	n, s, ok, err := referenceLength(c, s, "too big mbulk count string", "invalid multibulk length", c.MaxArgs)
	for ; ok && err == "" && n > 0; n-- {
		if line, _, found := strings.Cut(s, "\r"); found && len(s) > len(line)+1 && len(line) <= c.MaxInline && s[0] != '$' {
			return nil, "", false, "expected '$', got '" + s[:1] + "'"
		}
		var size int
		size, s, ok, err = referenceLength(c, s, "too big bulk count string", "invalid bulk length", c.MaxBulk)
		if !ok || err != "" {
			break
		}
		if size < 0 {
			return nil, "", false, "invalid bulk length"
		}
		if len(s) < size+2 {
			return nil, "", false, ""
		}
		args, s = append(args, s[:size]), s[size+2:]
	}
	return args, s, ok, err
}

// referenceLength reads a line of a kind, a number, "\r" and any byte.
func referenceLength(c resp.Config, s, long, invalid string, limit int) (n int, rest string, ok bool, err string) {
	line, rest, found := strings.Cut(s, "\r")
	switch {
	case len(line) > c.MaxInline:
		return 0, "", false, long
	case !found || rest == "":
		return 0, "", false, ""
	}
	number, wrong := strconv.ParseInt(line[1:], 10, 64)
	if wrong != nil || strconv.FormatInt(number, 10) != line[1:] || number > int64(limit) {
		return 0, "", false, invalid
	}
	return int(max(number, -1)), rest[1:], true, ""
}

func referenceInline(c resp.Config, s string) (args []string, rest string, ok bool, err string) {
	line, rest, found := strings.Cut(s, "\n")
	switch {
	case len(line) > c.MaxInline:
		return nil, "", false, "too big inline request"
	case !found:
		return nil, "", false, ""
	}
	args, ok = referenceWords(line)
	if !ok {
		return nil, "", false, "unbalanced quotes in request"
	}
	return args, rest, true, ""
}

// referenceWords is a machine with a state, a character at a time.
func referenceWords(line string) (words []string, ok bool) {
	var word []byte
	state := "between"
	line += "\n" // ends the last word
	for i := 0; i < len(line); i++ {
		c := line[i]
		blank, end := strings.IndexByte(" \t\n\v\f\r", c) >= 0, strings.IndexByte(" \t\n\r", c) >= 0
		last := i == len(line)-1
		switch {
		case state == "between" && blank, state == "closed" && blank:
			state = "between"
		case state == "closed":
			return nil, false
		case state == "between" || state == "word":
			if state == "word" && end {
				words, word, state = append(words, string(word)), nil, "between"
				continue
			}
			switch state = "word"; c {
			case '"', '\'':
				state = string(c)
			default:
				word = append(word, c)
			}
		case last:
			return nil, false // within quotes
		case string(c) == state:
			words, word, state = append(words, string(word)), nil, "closed"
		case c == '\\' && state == "'" && line[i+1] == '\'':
			word = append(word, '\'')
			i++
		case c == '\\' && state == `"` && i+1 < len(line)-1:
			i++
			switch at := strings.IndexByte("nrtba", line[i]); {
			case at >= 0:
				word = append(word, "\n\r\t\b\a"[at])
			case line[i] == 'x' && i+2 < len(line)-1 && isHex(line[i+1]) && isHex(line[i+2]):
				n, _ := strconv.ParseUint(line[i+1:i+3], 16, 8) // it is hexadecimal
				word = append(word, byte(n))
				i += 2
			default:
				word = append(word, line[i])
			}
		default:
			word = append(word, c)
		}
	}
	return words, true
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// FuzzDecode compares with the reference, for streams that come in one piece, byte
// by byte, and in pieces of any size.
func FuzzDecode(f *testing.F) {
	for i, tt := range commands {
		var stream string
		for _, s := range tt.sent {
			stream += s.wire
		}
		f.Add([]byte(stream+tt.rest), uint64(i))
	}
	for i, tt := range wrong {
		f.Add([]byte(tt.wire), uint64(i))
	}
	p := protocol(f, narrow)
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		want, wantErr := reference(narrow, string(stream))
		if wantErr != "" {
			wantErr = "Protocol error: " + wantErr
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		for name, next := range map[string]func() int{
			"whole":  func() int { return len(stream) },
			"bytes":  func() int { return 1 },
			"pieces": func() int { return rnd.IntN(int(seed%64) + 2) },
		} {
			got, err := decode(p, stream, next)
			if string(err) != wantErr || !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("%s: %q, %q; want %q, %q", name, got, err, want, wantErr)
			}
		}
	})
}

// TestEveryPlaceOnce: what has been looked at is not looked at again, until the
// command is complete. What is changed behind the decoder's back stays unnoticed.
func TestEveryPlaceOnce(t *testing.T) {
	const piece = 64
	arg := strings.Repeat("\r\n$1\r\n'", 150<<10)
	for _, tt := range []struct{ name, wire string }{
		{"a large argument", array("SET", "key", arg)},
		{"many arguments", array(strings.Split(arg, "\n")...)},
		{"an inline command", "SET key " + strings.Repeat("x", 60<<10) + "\n"},
		{"a count", "*" + strings.Repeat("0", 60<<10) + "\r\n"},
		{"a length", "*2\r\n$1\r\nx\r\n$" + strings.Repeat("0", 60<<10) + "\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := resp.NewDecoder(protocol(t, resp.Config{}))
			want, wantErr := reference(resp.Config{MaxArgs: 1 << 20, MaxBulk: 8 << 20, MaxInline: 64 << 10}, tt.wire)
			have := make([]byte, 0, len(tt.wire))
			for len(have)+piece < len(tt.wire) {
				have = append(have, tt.wire[len(have):len(have)+piece]...)
				if _, n, err := d.Decode(have); n != 0 || err != "" {
					t.Fatalf("with %d bytes: %d, %q", len(have), n, err)
				}
				change(have, max(0, len(have)-2*piece), d.At())
			}
			wire := []byte(tt.wire)
			args, n, err := d.Decode(wire)
			switch {
			case wantErr != "":
				if string(err) != "Protocol error: "+wantErr {
					t.Fatalf("%q, want %q", err, wantErr)
				}
			case n != len(wire) || err != "" || !slices.Equal(toStrings(args), want[0]):
				t.Fatalf("%d bytes of %d, %d arguments, %q", n, len(wire), len(args), err)
			}
		})
	}
}

// change overwrites the bytes of p from from on with ends of lines, but for those
// that the decoder needs to know where it is: the kind of the command, and at at
// the length of the argument.
func change(p []byte, from, at int) {
	for i := max(from, 1); i < len(p); i++ {
		if i < at || i >= at+len("$1048576\r\n") {
			p[i] = "\n\r"[i%2]
		}
	}
}
