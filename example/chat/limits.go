package main

import (
	"time"
)

// limits are what clients may ask for. Together they bound the memory of the chat: its
// rooms, each with its history. Nothing that somebody could hold on to is limited in
// number: who comes gets a room, however many there are.
type limits struct {
	frame   int // bytes of a message as it is sent
	name    int // characters of a name
	room    int // characters of a room's name
	text    int // characters of what is said
	rooms   int // from which on empty ones are forgotten, and histories get shorter
	history int // messages that a room remembers, up to that many rooms
	publish int // bytes of messages that are yet to be written to those who hear them

	emptyFor      time.Duration // until an empty room is forgotten
	presenceEvery time.Duration // between two messages about who is there, in a small room
}

func defaultLimits() limits {
	return limits{
		frame:         8 << 10,
		name:          24,
		room:          32,
		text:          500,
		rooms:         256,
		history:       100,
		publish:       32 << 20,
		emptyFor:      time.Minute,
		presenceEvery: 250 * time.Millisecond,
	}
}

const (
	// namesShown is how many of those in a room are told by name.
	namesShown = 30
	// changesShown is how many of those who come and go at a time are told by name.
	changesShown = 5
	// crowd is how many make a room large: news of who is there are rarer then.
	crowd     = 500
	crowdWait = 4 // times presenceEvery

	statsEvery = time.Second
	// roomsShown is how many rooms are listed, the largest first.
	roomsShown = 40
)

// Credit is what a client pays messages with. It comes back with time.
const (
	creditMost   = 10.0
	creditPerSec = 5.0
	creditLeast  = -20.0 // who is deeper in debt is sent away
	priceMessage = 1.0
	priceFault   = 5.0 // of what makes no sense
)

// credit limits how much a client sends. The zero value is a full one. Loop only.
type credit struct {
	spent float64 // of creditMost, at the time
	at    time.Time
}

// spend takes the price, and returns what is left.
func (c *credit) spend(price float64, now time.Time) float64 {
	if !c.at.IsZero() {
		c.spent = max(0, c.spent-creditPerSec*now.Sub(c.at).Seconds())
	}
	c.at = now
	c.spent += price
	return creditMost - c.spent
}
