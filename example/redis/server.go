package main

import (
	"crypto/sha256"
	"sync/atomic"
	"time"

	"github.com/go-weir/weir"
	"github.com/go-weir/weir/plugins/resp"
)

const (
	maxBulk    = 64 << 20  // bytes of an argument or a value
	maxCommand = 256 << 20 // bytes of a command
	maxReply   = 128 << 20 // bytes of values, or of keys, in a reply
	maxUnsent  = 256 << 20 // bytes that a client may be behind
	// keptScratch is how large the buffer for replies may stay.
	keptScratch = 64 << 10
)

// server is the weir.Handler. Its methods run on all loops at once.
type server struct {
	// set once
	weir     *weir.Server
	protocol *protocol
	commands commands
	store    *store
	hub      *hub
	backlog  *backlog
	started  time.Time
	password *[sha256.Size]byte // its hash; nil: there is none

	// any goroutine
	lastID atomic.Int64
}

// listen makes a server and binds its address.
func listen(addr string, loops int, password string, opts ...weir.Option) (*weir.Server, error) {
	return listenWith(maxBehind, addr, loops, password, opts...)
}

// listenWith is listen for clients that together may be most bytes behind.
func listenWith(most int64, addr string, loops int, password string, opts ...weir.Option) (*weir.Server, error) {
	p, err := resp.New(resp.Config{MaxBulk: maxBulk})
	if err != nil {
		return nil, err
	}
	b := &backlog{most: most}
	s := &server{
		protocol: &protocol{p, b}, commands: newCommands(), store: newStore(), hub: newHub(), backlog: b, started: time.Now(),
	}
	if password != "" {
		sum := sha256.Sum256([]byte(password))
		s.password = &sum
	}
	s.weir, err = weir.NewServer(s, append(opts,
		weir.Address(addr),
		weir.NumLoops(loops),
		weir.CustomProtocol(s.protocol),
		weir.MaxMessageSize(maxCommand),
		weir.IncompleteLimit(2*maxCommand),
		weir.WriteBufferLimit(maxUnsent),
		weir.SlowConsumer(weir.CloseSlow), // a client that misses a reply would take the next one for it
	)...)
	if err != nil {
		return nil, err
	}
	s.weir.RunEvery(sweepPeriod, s.store.sweep)
	return s.weir, nil
}

// client is what the server knows of a connection. Loop only.
type client struct {
	conn     *weir.Connection
	id       int64
	name     string
	version  resp.Version
	trusted  bool                // needs no password, or has given it
	channels map[string]struct{} // that it is subscribed to
	behind   int64               // of backlog.total
}

// OnConnect implements weir.Handler.
func (s *server) OnConnect(c *weir.Connection) {
	cl := &client{conn: c, id: s.lastID.Add(1), version: resp.V2, trusted: s.password == nil}
	c.SetContext(cl)
	s.protocol.Restrict(c, !cl.trusted)
}

// OnMessage carries out one command.
func (s *server) OnMessage(c *weir.Connection, ctx any, _ []byte) any {
	cmd, ok := ctx.(*resp.Command)
	if !ok {
		return nil
	}
	scratch := c.UserBuffer()
	cl := c.Context().(*client)
	reply := s.serve(cl, cmd.Args, (*scratch)[:0])
	if !s.backlog.take(cl, len(reply)) {
		reply = resp.AppendError(nil, errBacklog)
	}
	_, _ = c.Write(reply) // an error means that the connection is ending
	if cap(reply) <= keptScratch {
		*scratch = reply
	}
	return nil
}

// OnClose implements weir.Handler.
func (s *server) OnClose(c *weir.Connection) {
	cl := c.Context().(*client)
	s.backlog.release(cl)
	for channel := range cl.channels {
		s.hub.leave(cl, channel)
	}
}

// serve carries out the command in args and appends the reply to out.
func (s *server) serve(cl *client, args [][]byte, out []byte) []byte {
	cmd := s.commands.find(args[0])
	switch {
	case cmd == nil:
		return appendUnknown(out, args)
	case !cmd.accepts(len(args)):
		return appendArity(out, cmd.name)
	case !cl.trusted && !cmd.has(anyone):
		return resp.AppendError(out, "NOAUTH Authentication required.")
	case len(cl.channels) > 0 && cl.version == resp.V2 && !cmd.has(listening):
		return resp.AppendError(out, "ERR Can't execute '"+cmd.name+"': only (P|S)SUBSCRIBE / "+
			"(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	}
	return cmd.run(s, cl, args, out)
}
