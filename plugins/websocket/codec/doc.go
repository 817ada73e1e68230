// Package codec is the WebSocket protocol (RFC 6455) without a connection: it turns
// bytes into messages and messages into bytes, and knows nothing of where they come
// from. Package [github.com/go-weir/weir/plugins/websocket] puts it on a weir server;
// alone, it serves a client, a test, a proxy.
//
//	c, err := codec.New(codec.Config{}) // once, for all connections
//	…
//	var d codec.Decoder // one for each
//	d.Init(c, false)
//	for {
//		n, err := conn.Read(buf)
//		…
//		for p := buf[:n]; ; {
//			m, n, err := d.Next(p)
//			if err != nil {
//				// tell the peer why, and close
//			}
//			if m.Kind == 0 {
//				break // more bytes are needed
//			}
//			p = p[n:]
//			// m.Data, until the next call of Next
//		}
//	}
//
// A message that lies whole in what Next was given is unmasked there and handed out
// as a part of it: nothing is copied, nothing allocated. What comes in pieces is
// gathered in a pooled buffer that grows with what came, never with what a header
// announces. An idle Decoder holds no buffer.
//
// # Strictness
//
// What RFC 6455 forbids a peer to send ends the connection, as early as it can be
// told: reserved bits, unknown opcodes, a missing mask (or one that a server sends),
// control frames that are fragmented or too long, and continuations of nothing, after
// the two bytes that show them; lengths that are too large, negative or not in their
// shortest form when they are there; text at the first byte that is not UTF-8, even
// in the middle of a frame. Messages that were complete before are delivered first.
//
// # Compression
//
// permessage-deflate (RFC 7692) is negotiated by [Codec.Negotiate], and what was
// agreed makes a [Compression] for the connection. A compressed message comes out of
// the Decoder still compressed, so that the caller can choose the goroutine on which
// it is inflated.
//
// # Limits
//
// All are on by default, see [Limits]. The error says which it was, and with what code
// to close the connection.
//
//	what is limited                                  field      default    close code
//	bytes of a message, as they are sent             Message    16 MiB     1009
//	frames of a message                              Frames     131,072    1008
//	bytes of a message, inflated                     Inflated   16 MiB     1009
//	memory that unfinished messages take, together   Pinned     256 MiB    1013
//	memory of contexts of compression, together      Memory     64 MiB     agreed on without
package codec
