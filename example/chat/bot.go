package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/go-weir/weir/plugins/websocket"
)

// bot is a client that talks when it is told to, and counts what it hears. It is a
// connection and one goroutine, which reads.
type bot struct {
	// set once
	swarm *swarm
	conn  *websocket.Client
	room  int
	done  chan struct{} // closed when nothing more is read
}

// small talk
var phrases = []string{
	"hello everybody", "anyone here?", "good morning", "it works for me", "same here", "what a day",
	"coffee?", "back in five", "have you tried turning it off and on again?", "ship it", "nice!", "well, well",
	"how is the weather over there?", "looks good to me", "that was quick", "see you later",
}

// what bots call themselves, with a number
var species = []string{
	"Otter", "Heron", "Trout", "Beaver", "Dipper", "Salmon", "Newt", "Kingfisher", "Pike", "Swan", "Mayfly", "Wagtail",
}

// newBot has a bot enter its room. The first one is the lobby.
func newBot(ctx context.Context, w *swarm, target string, i int) (*bot, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := websocket.Dial(ctx, target, nil)
	if err != nil {
		return nil, err
	}
	b := &bot{swarm: w, conn: conn, room: i % w.rooms, done: make(chan struct{})}
	room := "lobby"
	if b.room > 0 {
		room = "room-" + strconv.Itoa(b.room)
	}
	join := encode(request{T: askJoin, Room: room, Name: fmt.Sprintf("%s %d", species[rand.IntN(len(species))], i+1)})
	if err := b.enter(join); err != nil {
		_ = conn.CloseNow() // err says enough
		return nil, err
	}
	w.crowds[b.room].Add(1)
	go b.listen()
	return b, nil
}

// enter asks, and waits for the answer.
func (b *bot) enter(join []byte) error {
	if err := b.conn.NetConn().SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := b.conn.Write(websocket.Text, join); err != nil {
		return err
	}
	for {
		_, message, err := b.conn.Read()
		switch {
		case err != nil:
			return err
		case isKind(message, "room"):
			return b.conn.NetConn().SetDeadline(time.Time{})
		case isKind(message, "error"):
			return errors.New(string(message))
		}
	}
}

// isKind looks at what the server writes first: cheaper than to parse all of it, for
// thousands of bots that are sent it.
func isKind(message []byte, kind string) bool {
	rest, ok := bytes.CutPrefix(message, []byte(`{"t":"`))
	return ok && bytes.HasPrefix(rest, append([]byte(kind), '"'))
}

// talk says something, with a number by which the others know when it was sent.
func (b *bot) talk() {
	w := b.swarm
	n := w.numbers.Add(1)
	text := fmt.Sprintf("%s #%s-%d", phrases[rand.IntN(len(phrases))], w.tag, n)
	message := encode(request{T: askSay, Text: text})
	err := b.conn.NetConn().SetWriteDeadline(time.Now().Add(patience))
	w.sent[n%int64(len(w.sent))].Store(int64(time.Since(w.begin)))
	w.figures.expected.Add(w.crowds[b.room].Load())
	if err == nil {
		err = b.conn.Write(websocket.Text, message)
	}
	if err != nil {
		w.figures.expected.Add(-w.crowds[b.room].Load())
		w.figures.fail(err)
		return
	}
	w.figures.said.Add(1)
}

// listen counts what it hears, until the end.
func (b *bot) listen() {
	defer close(b.done)
	w := b.swarm
	for {
		_, message, err := b.conn.Read()
		switch {
		case err != nil:
			if !w.over.Load() {
				w.crowds[b.room].Add(-1)
				w.figures.fail(err)
			}
			return
		case isKind(message, "say"):
			if n, ok := w.number(message); ok {
				w.figures.delivered.Add(1)
				w.figures.latency.record(time.Since(w.begin) - time.Duration(w.sent[n%int64(len(w.sent))].Load()))
			}
		case isKind(message, "error"):
			var p problem
			_ = json.Unmarshal(message, &p) // it is the server's, and shown as far as it is understood
			w.figures.fail(&p)
		}
	}
}

// number finds the number of a message of this swarm.
func (w *swarm) number(message []byte) (n int64, ok bool) {
	message, ok = bytes.CutSuffix(message, []byte(`"}`))
	at := bytes.LastIndexByte(message, '#')
	if !ok || at < 0 {
		return 0, false
	}
	digits, ok := bytes.CutPrefix(message[at+1:], []byte(w.tag+"-"))
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	return n, err == nil && n >= 0
}

// leave closes the connection and waits for the server to agree.
func (b *bot) leave(code websocket.Code) {
	_ = b.conn.NetConn().SetDeadline(time.Now().Add(patience)) // an error shows below
	err := b.conn.Close(code, "")
	<-b.done
	if err == nil {
		var closed *websocket.CloseError
		if _, _, err = b.conn.Read(); !errors.As(err, &closed) {
			b.swarm.figures.fail(err)
		}
	}
	_ = b.conn.CloseNow() // the server has agreed, or never will
}
