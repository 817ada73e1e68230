package ringbuffer_test

import (
	"fmt"

	"github.com/go-weir/weir/ringbuffer"
)

// A protocol with a length in front of each message: nothing is copied, and an incomplete message stays where it is.
func ExampleRingBuffer_View() {
	var ring ringbuffer.RingBuffer
	for _, received := range []string{"\x00\x05hel", "lo\x00\x05wor", "ld"} {
		ring.WriteString(received)
		for ring.Length() >= 2 {
			size := int(ring.PeekUint16())
			frame := ring.View(2 + size)
			if frame == nil {
				break // wait for more
			}
			ring.Retrieve(len(frame))
			fmt.Printf("%s\n", frame[2:]) // valid until the next write
		}
		ring.Shrink()
	}
	fmt.Println("storage:", ring.Capacity())
	// Output:
	// hello
	// world
	// storage: 0
}

// A protocol of lines that looks at no byte twice, however small the pieces in which a line comes.
func ExampleRingBuffer_IndexFrom() {
	var ring ringbuffer.RingBuffer
	sep, from := []byte("\r\n"), 0
	for _, received := range []string{"SET k", "ey 1\r", "\nGET key\r\n"} {
		ring.WriteString(received)
		for {
			i := ring.IndexFrom(sep, from)
			if i < 0 {
				from = max(ring.Length()-len(sep)+1, 0)
				break
			}
			fmt.Printf("%s\n", ring.View(i))
			ring.Retrieve(i + len(sep))
			from = 0
		}
	}
	// Output:
	// SET key 1
	// GET key
}

// A decoder that wants an io.Reader and cannot know whether a message is complete: what it has read is given back when it
// was not.
func ExampleRingBuffer_VirtualRead() {
	var ring ringbuffer.RingBuffer
	head, body := make([]byte, 1), make([]byte, 3)
	decode := func() {
		_, _ = ring.VirtualRead(head) // as there is nothing, the next one reads less than it wants
		if n, _ := ring.VirtualRead(body); n < len(body) {
			fmt.Println("incomplete, back to", ring.Length()-ring.VirtualLength())
			ring.VirtualRevert()
			return
		}
		ring.VirtualFlush()
		fmt.Printf("%s %s, %d left\n", head, body, ring.Length())
	}
	ring.WriteString("#ab")
	decode()
	ring.WriteString("c!")
	decode()
	// Output:
	// incomplete, back to 3
	// # abc, 1 left
}

// The loop's read buffer as a ring: the bytes are copied only if some are left over.
func ExampleRingBuffer_WithData() {
	read := []byte("a whole message;the beginning of")
	var ring ringbuffer.RingBuffer
	ring.WithData(read)
	i := ring.Index([]byte(";"))
	fmt.Printf("%s, in place: %t\n", ring.View(i), &ring.View(i)[0] == &read[0])
	ring.Retrieve(i + 1)

	ring.Grow(1) // moves the rest to storage of the ring's own
	clear(read)
	ring.WriteString(" the next;")
	fmt.Printf("%s\n", ring.Bytes())
	// Output:
	// a whole message, in place: true
	// the beginning of the next;
}

// Reading from a source straight into the ring.
func ExampleRingBuffer_Free() {
	ring := ringbuffer.New(512)
	n := copy(ring.Free(), "what read(2) would store")
	ring.Commit(n)
	fmt.Printf("%s\n", ring.Bytes())
	// Output:
	// what read(2) would store
}

func ExampleAcquire() {
	b := ringbuffer.Acquire(1000)
	fmt.Println(len(b))
	ringbuffer.Recycle(b)
	// Output:
	// 1024
}
