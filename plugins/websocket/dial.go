package websocket

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// DialOptions say how Dial connects. The zero value is good.
type DialOptions struct {
	Header       http.Header    // more fields of the request, such as Origin or Cookie
	Subprotocols []string       // those to offer, the best one first
	Compression  *codec.Deflate // nil: permessage-deflate is not offered
	Limits       codec.Limits   // of what the server may send
	TLS          *tls.Config    // for wss; nil: the default
	// NetDial connects to the address; nil: a net.Dialer.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)
}

// HandshakeError is the error of a Dial whose server has answered something else than
// an upgrade.
type HandshakeError struct {
	Status int
	Header http.Header
	Body   string // up to 4 KiB of it
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("websocket: the server answered %d %s", e.Status, http.StatusText(e.Status))
}

// Dial connects to a "ws:" or "wss:" URL. The context limits the handshake alone. opts
// may be nil. The head of the server's reply may have 64 KiB.
func Dial(ctx context.Context, rawURL string, opts *DialOptions) (*Client, error) {
	if opts == nil {
		opts = new(DialOptions)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("websocket: %w", err)
	}
	if u.Scheme != "ws" && u.Scheme != "wss" || u.Hostname() == "" || u.Fragment != "" {
		return nil, fmt.Errorf("websocket: %q is not a ws or wss URL", rawURL)
	}
	shared, err := codec.New(codec.Config{Client: true, Limits: opts.Limits, Deflate: opts.Compression})
	if err != nil {
		return nil, err
	}
	conn, err := opts.connect(ctx, u)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // an error means that it is closed
	err = c.handshake(u, opts, shared)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close() // err says enough
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return c, nil
}

// connect makes the connection, with TLS for wss.
func (o *DialOptions) connect(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil || u.Scheme == "ws" {
		return conn, err
	}
	config := o.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	t := tls.Client(conn, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // err says enough
		return nil, err
	}
	return t, nil
}

// handshake is RFC 6455, section 4.1.
func (c *Client) handshake(u *url.URL, o *DialOptions, shared *codec.Codec) error {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	header := o.Header.Clone()
	if header == nil {
		header = make(http.Header)
	}
	header.Set("Upgrade", "websocket")
	header.Set("Connection", "Upgrade")
	header.Set("Sec-WebSocket-Key", key)
	header.Set("Sec-WebSocket-Version", "13")
	if len(o.Subprotocols) > 0 {
		header.Set("Sec-WebSocket-Protocol", strings.Join(o.Subprotocols, ", "))
	}
	offer := shared.Offer()
	if offer != "" {
		header.Set("Sec-WebSocket-Extensions", offer)
	}
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}, Host: u.Host, Header: header}
	if h := header.Get("Host"); h != "" {
		r.Host = h
		header.Del("Host")
	}
	if err := r.Write(c.conn); err != nil {
		return err
	}
	reply, err := c.reply(r)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(reply.Body, 4<<10)) // as much as there is
		return &HandshakeError{reply.StatusCode, reply.Header, string(body)}
	}
	return c.accept(reply, key, o, shared)
}

// replyLimit is how many bytes of a server's reply are read at most, with the interim
// ones before it.
const replyLimit = 64 << 10

var (
	errReply     = errors.New("websocket: the server's reply is not the answer to the handshake")
	errReplySize = fmt.Errorf("websocket: the head of the server's reply is over %d bytes", replyLimit)
)

// reply reads the reply to r: the first that is not an interim one (RFC 9110, section
// 15.2). Of one that is no upgrade, the body is still to be read, within the limit.
func (c *Client) reply(r *http.Request) (*http.Response, error) {
	limited := &io.LimitedReader{R: c.conn, N: replyLimit}
	c.reader = bufio.NewReaderSize(limited, 4<<10)
	for {
		reply, err := http.ReadResponse(c.reader, r)
		switch {
		case err != nil && limited.N == 0:
			return nil, errReplySize
		case err != nil:
			return nil, err
		case reply.StatusCode == http.StatusSwitchingProtocols:
			limited.N = math.MaxInt64 // frames follow
			return reply, nil
		case reply.StatusCode >= 200:
			limited.N += replyLimit
			return reply, nil
		}
	}
}

// accept checks the server's reply, and takes over what was agreed.
func (c *Client) accept(reply *http.Response, key string, o *DialOptions, shared *codec.Codec) error {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	h := reply.Header
	c.subprotocol = h.Get("Sec-WebSocket-Protocol")
	upgrade, accept := h.Values("Upgrade"), h.Values("Sec-WebSocket-Accept")
	switch {
	case reply.ProtoMajor != 1 || reply.ProtoMinor < 1,
		len(upgrade) != 1 || !strings.EqualFold(upgrade[0], "websocket"),
		!hasToken([]byte(strings.Join(h.Values("Connection"), ",")), "upgrade"),
		len(accept) != 1 || accept[0] != base64.StdEncoding.EncodeToString(sum[:]),
		len(h.Values("Sec-WebSocket-Protocol")) > 1,
		c.subprotocol != "" && !slices.Contains(o.Subprotocols, c.subprotocol):
		return errReply
	}
	var answers [][]byte
	for _, v := range h.Values("Sec-WebSocket-Extensions") {
		answers = append(answers, []byte(v))
	}
	params, err := shared.Confirm(answers...)
	if err != nil {
		return err
	}
	c.deflate = shared.NewCompression(params)
	c.decoder.Init(shared, c.deflate != nil)
	return nil
}
