// Package websocket is the server's side of WebSocket (RFC 6455) with
// permessage-deflate (RFC 7692), on the loops of a weir server.
//
//	type echo struct{ websocket.Base }
//
//	func (echo) OnMessage(c *websocket.Conn, kind websocket.Kind, data []byte) {
//		_ = c.Reply(kind, data) // an error means that the connection is ending
//	}
//
//	s, err := weir.NewServer(websocket.Wrap(echo{}), weir.CustomProtocol(websocket.New(nil)), weir.Address(":8080"))
//
// A message is unmasked where it was received, and what [Conn.Reply] frames goes into
// what the loop writes anyway: an echo allocates nothing, and all replies to what came
// together leave in one write(2). From other goroutines, [Conn.WriteText] and its
// like queue messages without ever waiting.
//
// # Handshake
//
// A connection begins with HTTP. A request for a WebSocket is checked strictly, then
// for its origin: pages of the server's own host may connect, those of others by
// [Origins] or [CheckOrigin]. [OnUpgrade] then sees path, query, header, cookies and
// address, and answers with more fields, a subprotocol and user data, or with a
// [Refusal]. Other requests go to the [Fallback], so that a page, its socket and a
// health check share a port.
//
// # Closing
//
// [Conn.Close] sends a close frame behind what was written before, and waits for the
// peer's; a peer's is answered with the same code. Either way, all that was written
// reaches the peer before the end of the stream. What the peer does wrong is answered
// with the code that RFC 6455 has for it, after the messages before it were delivered.
// weir's Shutdown asks all peers to go away, with GoingAway.
//
// # Topics
//
// A connection subscribes to topics ([Conn.Subscribe]), and [Hub.Publish] writes a
// message to all that have: framed once, compressed once, and in memory once, however
// many have yet to write it. Each loop writes to its own subscribers, some in each cycle
// if they are many, with everything else that it serves in between. Messages that are
// published together to a topic leave in one write(2) for each subscriber. What is
// published and not yet written is limited; past that, Publish returns an error. A
// [Broker] connects the hubs of several processes.
//
// # Limits
//
// All are on by default, and options of [New]:
//
//	limit                              option             default      past it
//	head of the request                HeadLimit          16 KiB       431
//	time for the handshake             HandshakeTimeout   10 s         408, or closed
//	payload of a message               MessageLimit       16 MiB       1009
//	frames of a message                FrameLimit         131,072      1008
//	time for a message, and 1 s a KiB  MessageTimeout     30 s         1008
//	inflated message                   InflatedLimit      16 MiB       1009
//	memory of all unfinished messages  PinnedLimit        256 MiB      1013
//	contexts of compression            Deflate.Memory     64 MiB       agreed on without
//	silence of the peer                KeepAlive          30 s         pinged
//	silence after a ping               KeepAlive          15 s         closed
//	peer that takes nothing            KeepAlive          45 s         closed
//	answer to a close frame            CloseTimeout       5 s          closed
//	sending what is left at the end    weir.Linger        5 s          closed
//	unsent bytes of a connection       WriteBufferLimit   64 MiB       writes are refused
//	unsent bytes of a subscriber       SlowSubscribers    1 MiB        dropped, or 1013
//	publications not yet written       PublishLimit       64 MiB       ErrPublishLimit
//	topics of a connection             MaxTopics          1,024        ErrTooManyTopics
//	name of a topic                    MaxTopicName       256 bytes    ErrTopicName
//	messages inflated at a time        InflateAside       4            wait
//
// [Protocol.Stats] counts how often each was met; the outbound limits are in the
// server's own. They are among the metrics of the server (weir_websocket_…), which
// docs/metrics.md lists.
package websocket
