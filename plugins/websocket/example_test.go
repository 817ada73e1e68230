package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/http1"
	"github.com/go-weir/weir/plugins/websocket"
	"github.com/go-weir/weir/plugins/websocket/codec"
)

// shout answers in capital letters.
type shout struct{ websocket.Base }

func (shout) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
	_ = c.Reply(kind, []byte(strings.ToUpper(string(data)))) // an error means that it is ending
}

// serve runs a server, and returns where it is and how it is stopped.
func serve(h websocket.Handler, p *websocket.Protocol) (addr string, stop func()) {
	s, err := weir.NewServer(websocket.Wrap(h), weir.CustomProtocol(p), weir.Address("127.0.0.1:0"), weir.NumLoops(1))
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	return s.Addrs()[0].String(), func() {
		if err := errors.Join(s.Stop(), <-ended); err != nil {
			log.Fatal(err)
		}
	}
}

// connected is a client of that server.
func connected(addr, path string, opts *websocket.DialOptions) *websocket.Client {
	c, err := websocket.Dial(context.Background(), "ws://"+addr+path, opts)
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// leave ends the connection, which may have ended.
func leave(c *websocket.Client) { _ = c.CloseNow() }

// tell sends a message.
func tell(c *websocket.Client, text string) {
	if err := c.Write(websocket.Text, []byte(text)); err != nil {
		log.Fatal(err)
	}
}

// hear reads a message and prints it, or why there is none.
func hear(who string, c *websocket.Client) {
	_, data, err := c.Read()
	if err != nil {
		fmt.Println(who, "hears:", err)
		return
	}
	fmt.Printf("%s hears %q\n", who, data)
}

// A server, and a client that talks to it and takes its leave.
func Example() {
	addr, stop := serve(shout{}, websocket.New(nil))
	defer stop()

	c := connected(addr, "/", nil)
	defer leave(c)
	tell(c, "hello")
	hear("the client", c)
	if err := c.Close(websocket.NormalClosure, "that is all"); err != nil {
		log.Fatal(err)
	}
	hear("the client", c) // the answer has the same code
	// Output:
	// the client hears "HELLO"
	// the client hears: websocket: closed by the peer with 1000 ""
}

// room is a handler whose connections are all subscribed to one topic.
type room struct{ websocket.Base }

func (room) OnOpen(c *websocket.Conn) {
	name, _ := c.UserData().(string)
	_ = c.Publish("room", websocket.Text, []byte(name+" has come")) // the error would be a broker's
	if err := c.Subscribe("room"); err != nil {
		_ = c.Close(websocket.PolicyViolation, err.Error()) // it is open
		return
	}
	_ = c.Reply(websocket.Text, []byte("welcome, "+name)) // an error means that it is ending
}

// Who has subscribed to a topic gets what is published, by a connection to all others
// or by the hub to everybody. The name comes from the request, which OnUpgrade sees.
func ExampleConn_Subscribe() {
	p := websocket.New(nil, websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		return websocket.Answer{UserData: string(r.Query())}, nil
	}))
	addr, stop := serve(room{}, p)
	defer stop()

	ann := connected(addr, "/?Ann", nil)
	defer leave(ann)
	hear("Ann", ann)
	bob := connected(addr, "/?Bob", nil)
	defer leave(bob)
	hear("Bob", bob)
	hear("Ann", ann)
	if err := p.Hub().Publish("room", websocket.Text, []byte("closing time")); err != nil {
		log.Fatal(err)
	}
	hear("Ann", ann)
	hear("Bob", bob)
	// Output:
	// Ann hears "welcome, Ann"
	// Bob hears "welcome, Bob"
	// Ann hears "Bob has come"
	// Ann hears "closing time"
	// Bob hears "closing time"
}

// A request is refused with a status and a body, or accepted with a subprotocol, fields
// and user data.
func ExampleOnUpgrade() {
	p := websocket.New(nil, websocket.Subprotocols("chat.v2", "chat.v1"), websocket.OnUpgrade(func(r *websocket.Request) (websocket.Answer, error) {
		session, ok := r.Cookie("session")
		if !ok {
			return websocket.Answer{}, &websocket.Refusal{Status: http.StatusUnauthorized, Body: "log in first"}
		}
		return websocket.Answer{UserData: session}, nil
	}))
	addr, stop := serve(shout{}, p)
	defer stop()

	_, err := websocket.Dial(context.Background(), "ws://"+addr+"/", nil)
	var refused *websocket.HandshakeError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.Body)
	}
	c := connected(addr, "/", &websocket.DialOptions{
		Header:       http.Header{"Cookie": {"session=4711"}},
		Subprotocols: []string{"chat.v1"},
	})
	defer leave(c)
	fmt.Println(c.Subprotocol())
	// Output:
	// 401 log in first
	// chat.v1
}

// Pages of the server's own host may connect, those of others have to be named.
func ExampleOrigins() {
	addr, stop := serve(shout{}, websocket.New(nil, websocket.Origins("https://app.example.com")))
	defer stop()
	for _, origin := range []string{"http://" + addr, "https://app.example.com", "https://evil.example"} {
		c, err := websocket.Dial(context.Background(), "ws://"+addr+"/", &websocket.DialOptions{Header: http.Header{"Origin": {origin}}})
		fmt.Println(err)
		if err == nil {
			_ = c.CloseNow()
		}
	}
	// Output:
	// <nil>
	// <nil>
	// websocket: the server answered 403 Forbidden
}

// A page, a health check and a socket share a port.
func ExampleFallback() {
	addr, stop := serve(shout{}, websocket.New(nil, websocket.Fallback(func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/healthz" {
			w.WriteString("ok")
			return
		}
		w.Status(http.StatusNotFound)
	})))
	defer stop()

	r, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		log.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(r.StatusCode, string(body))
	c := connected(addr, "/", nil)
	defer leave(c)
	tell(c, "and a socket")
	hear("the client", c)
	// Output:
	// 200 ok
	// the client hears "AND A SOCKET"
}

// worker has a goroutine do what takes long.
type worker struct{ websocket.Base }

func (worker) OnMessage(c *websocket.Conn, _ websocket.Kind, data []byte) {
	data = c.Retain(data) // the goroutine has it for longer than this call
	c.PauseRead()         // one at a time
	go func() {
		result := fmt.Appendf(nil, "%s: done", data)
		_ = c.WriteText(result) // an error means that it is ending
		c.ResumeRead()
	}()
}

// Work that takes long is for a goroutine, which may write to the connection at any
// time. What it keeps of the message has to be retained.
func ExampleConn_Retain() {
	addr, stop := serve(worker{}, websocket.New(nil))
	defer stop()
	c := connected(addr, "/", nil)
	defer leave(c)
	tell(c, "one")
	tell(c, "two")
	hear("the client", c)
	hear("the client", c)
	// Output:
	// the client hears "one: done"
	// the client hears "two: done"
}

// ticker writes the same to all that connect.
type ticker struct {
	websocket.Base
	price *websocket.PreparedMessage
}

func (t ticker) OnOpen(c *websocket.Conn) {
	_ = c.ReplyPrepared(t.price) // an error means that it is ending
}

// A message for many connections is framed once, and compressed once for all that
// have agreed on it.
func ExamplePrepare() {
	price := websocket.Prepare(websocket.Text, []byte(`{"price": 42}`))
	addr, stop := serve(ticker{price: price}, websocket.New(nil, websocket.Compression(codec.Deflate{Threshold: 1})))
	defer stop()
	for _, opts := range []*websocket.DialOptions{nil, {Compression: new(codec.Deflate)}} {
		c := connected(addr, "/", opts)
		hear(fmt.Sprintf("compressed: %v, the client", c.Compressed()), c)
		_ = c.CloseNow()
	}
	// Output:
	// compressed: false, the client hears "{\"price\": 42}"
	// compressed: true, the client hears "{\"price\": 42}"
}

// farewell closes what says goodbye.
type farewell struct {
	websocket.Base
	ended chan string
}

func (f farewell) OnMessage(c *websocket.Conn, _ websocket.Kind, _ []byte) {
	_ = c.Reply(websocket.Text, []byte("wait")) // an error means that it is ending
	if err := c.Close(4001, "see you tomorrow"); err != nil {
		log.Fatal(err)
	}
	fmt.Println("behind Close:", c.Reply(websocket.Text, []byte("too late")))
}

func (f farewell) OnClose(_ *websocket.Conn, code websocket.Code, reason string) {
	f.ended <- fmt.Sprint("OnClose: ", code, " ", reason)
}

// Close sends what was written before and a close frame, and waits for the answer.
func ExampleConn_Close() {
	f := farewell{ended: make(chan string, 1)}
	addr, stop := serve(f, websocket.New(nil))
	defer stop()
	c := connected(addr, "/", nil)
	defer leave(c)
	tell(c, "goodbye")
	hear("the client", c)
	hear("the client", c)
	fmt.Println(<-f.ended)
	// Output:
	// behind Close: weir: connection closed
	// the client hears "wait"
	// the client hears: websocket: closed by the peer with 4001 "see you tomorrow"
	// OnClose: 4001 see you tomorrow
}
