package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a client sends: JSON objects whose "t" is one of
//
//	join   to enter a room under a name, and leave the one before
//	say    a text to all in the room
//	watch  to be told of all rooms every second
const (
	askJoin  = "join"
	askSay   = "say"
	askWatch = "watch"
)

// request is any of them.
type request struct {
	T    string `json:"t"`
	Room string `json:"room"`
	Name string `json:"name"`
	Text string `json:"text"`
}

// entered answers join.
type entered struct {
	T       string            `json:"t"` // room
	Room    string            `json:"room"`
	Name    string            `json:"name"` // which may have got a number behind
	Here    int               `json:"here"`
	Names   []string          `json:"names"`
	History []json.RawMessage `json:"history"` // each a said, the oldest first
}

// said tells what somebody has said. N grows: one that was in the history, too, is
// known by it.
type said struct {
	T    string `json:"t"` // say
	N    uint64 `json:"n"`
	At   int64  `json:"at"` // in ms since 1970
	From string `json:"from"`
	Text string `json:"text"`
}

// presence tells who is there, and who has come and gone since the last one.
type presence struct {
	T      string   `json:"t"` // here
	Here   int      `json:"here"`
	Names  []string `json:"names"` // the first of them
	Joins  int      `json:"joins"`
	Leaves int      `json:"leaves"`
	Joined []string `json:"joined,omitempty"` // some of them
	Left   []string `json:"left,omitempty"`
}

// stats tells those who watch about everything.
type stats struct {
	T      string      `json:"t"` // stats
	Online int         `json:"online"`
	Said   float64     `json:"said"`      // messages per second
	Out    float64     `json:"delivered"` // of all kinds, to anybody, per second
	Rooms  []roomCount `json:"rooms"`     // the largest
	Total  int         `json:"total"`     // of all rooms
}

type roomCount struct {
	Name string `json:"name"`
	Here int    `json:"here"`
}

// problem answers what was refused.
type problem struct {
	T    string `json:"t"` // error
	Code string `json:"code"`
	Text string `json:"text"`
}

func (p *problem) Error() string { return p.Code + ": " + p.Text }

func refusal(code, text string) *problem { return &problem{"error", code, text} }

var (
	errForm   = refusal("form", "That was not a message of this chat.")
	errFlood  = refusal("flood", "Not so fast: that message was left out.")
	errName   = refusal("name", "A name has 1 to 24 letters, digits or signs.")
	errRoom   = refusal("room", "The name of a room has 1 to 32 letters, digits, - or _.")
	errText   = refusal("text", "A message has 1 to 500 characters.")
	errBusy   = refusal("busy", "Too much is being said: that message was left out.")
	errNoRoom = refusal("join", "Join a room first.")
)

// encode makes JSON of what this file has types for, which can't fail. '<' stays what
// it is: the page takes text for text.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// cleanName returns a name as it is shown; ok is false if it can't be one.
func (l *limits) cleanName(s string) (name string, ok bool) {
	name = strings.Join(strings.Fields(s), " ")
	n := utf8.RuneCountInString(name)
	return name, n > 0 && n <= l.name && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// cleanRoom does so with the name of a room.
func (l *limits) cleanRoom(s string) (name string, ok bool) {
	name = strings.ToLower(strings.TrimSpace(s))
	n := utf8.RuneCountInString(name)
	return name, n > 0 && n <= l.room && strings.IndexFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Digit)
	}) < 0
}

// cleanText does so with what is said. Lines and tabs are all the control there is.
func (l *limits) cleanText(s string) (text string, ok bool) {
	text = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	n := utf8.RuneCountInString(text)
	return text, n > 0 && n <= l.text && strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t'
	}) < 0
}
