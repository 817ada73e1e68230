package resp_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
)

// counter is a server that knows the commands PING and INCR. There is one loop, so
// its fields need no lock.
type counter struct {
	counts   map[string]int64
	commands *resp.Table[func(args [][]byte, reply []byte) []byte]
}

func newCounter() *counter {
	s := &counter{counts: make(map[string]int64)}
	s.commands = resp.NewTable(map[string]func([][]byte, []byte) []byte{
		"ping": func(_ [][]byte, reply []byte) []byte { return resp.AppendSimple(reply, "PONG") },
		"incr": func(args [][]byte, reply []byte) []byte {
			if len(args) != 2 {
				return resp.AppendError(reply, "ERR wrong number of arguments for 'incr' command")
			}
			s.counts[string(args[1])]++
			return resp.AppendInt(reply, s.counts[string(args[1])])
		},
	})
	return s
}

func (s *counter) OnConnect(*weir.Connection) {}
func (s *counter) OnClose(*weir.Connection)   {}

func (s *counter) OnMessage(c *weir.Connection, ctx any, _ []byte) any {
	cmd, ok := ctx.(*resp.Command)
	if !ok {
		return nil // a Wake
	}
	reply := (*c.UserBuffer())[:0]
	if run, ok := s.commands.Find(cmd.Args[0]); ok {
		reply = run(cmd.Args, reply)
	} else {
		reply = resp.AppendError(reply, fmt.Sprintf("ERR unknown command '%s'", cmd.Args[0]))
	}
	_, _ = c.Write(reply) // an error means that the connection is ending
	*c.UserBuffer() = reply
	return nil
}

// A server that counts, and a client that doesn't wait for each reply.
func Example() {
	protocol, err := resp.New(resp.Config{MaxBulk: 1 << 10})
	if err != nil {
		log.Fatal(err)
	}
	s, err := weir.NewServer(newCounter(), weir.Address("localhost:0"), weir.NumLoops(1), weir.CustomProtocol(protocol))
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()

	c, err := net.Dial("tcp", s.Addrs()[0].String())
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "PING\r\n"+"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"+"incr a\r\n"+"GET a\r\n"+"*1\r\n$2000\r\n"); err != nil {
		log.Fatal(err)
	}
	for r := bufio.NewReader(c); ; {
		reply, err := resp.ReadReply(r)
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%c %s\n", reply.Kind, reply.Text)
	}
	_ = s.Stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	// Output:
	// + PONG
	// : 1
	// : 2
	// - ERR unknown command 'GET'
	// - ERR Protocol error: invalid bulk length
	// EOF
}

// What a client is sent depends on the version that it has asked for.
func ExampleVersion() {
	for _, v := range []resp.Version{resp.V2, resp.V3} {
		reply := v.AppendMap(nil, 1)
		reply = resp.AppendBulk(reply, "ratio")
		reply = v.AppendDouble(reply, 0.5)
		fmt.Printf("%q\n", reply)
	}
	// Output:
	// "*2\r\n$5\r\nratio\r\n$3\r\n0.5\r\n"
	// "%1\r\n$5\r\nratio\r\n,0.5\r\n"
}
