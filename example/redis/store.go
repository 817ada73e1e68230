package main

import (
	"hash/maphash"
	"math/bits"
	"sync"
)

// shards is how many parts the keys are divided into. Loops that use different
// parts don't wait for each other, and SCAN goes through them one by one.
const shards = 1024

// store is all keys with their values. Methods are for any goroutine.
type store struct {
	seed   maphash.Seed
	shards [shards]shard
	swept  int // the shard that sweep goes on with; for sweep alone
}

// shard is a part of the keys, by their hash. Everything in it is guarded by mu.
type shard struct {
	mu       sync.Mutex
	entries  map[string]*entry
	volatile map[string]*entry // those that expire
}

// entry is a key's value. Its bytes are used again by the value that follows, so
// they are not given away but copied.
type entry struct {
	value   []byte
	expires int64 // Unix time in milliseconds; 0: never
}

func newStore() *store { return &store{seed: maphash.MakeSeed()} }

func (s *store) index(key []byte) int { return int(maphash.Bytes(s.seed, key) % shards) }

// lock locks the shard of key, for a command with one key.
func (s *store) lock(key []byte) *shard {
	sh := &s.shards[s.index(key)]
	sh.mu.Lock()
	return sh
}

// locked is a set of shards that a command with several keys has locked, so that
// nobody sees half of what it does.
type locked struct {
	store *store
	set   [shards / 64]uint64
}

// lockAll locks the shards of keys, of which every step-th is one. Everybody locks
// in ascending order, so nobody waits in a circle.
func (s *store) lockAll(keys [][]byte, step int) locked {
	l := locked{store: s}
	for i := 0; i < len(keys); i += step {
		n := s.index(keys[i])
		l.set[n/64] |= 1 << (n % 64)
	}
	l.each(func(sh *shard) { sh.mu.Lock() })
	return l
}

func (l *locked) unlock() { l.each(func(sh *shard) { sh.mu.Unlock() }) }

func (l *locked) each(f func(*shard)) {
	for i, word := range l.set {
		for ; word != 0; word &= word - 1 {
			f(&l.store.shards[i*64+bits.TrailingZeros64(word)])
		}
	}
}

// shard returns the one of key, which must be locked.
func (l *locked) shard(key []byte) *shard { return &l.store.shards[l.store.index(key)] }

// find returns the entry of key; nil if there is none, or its time has come.
func (sh *shard) find(key []byte) *entry {
	e := sh.entries[string(key)]
	if e == nil || e.expires == 0 || e.expires > now() {
		return e
	}
	sh.remove(string(key), e)
	return nil
}

// add makes an entry of key, which has none.
func (sh *shard) add(key []byte) *entry {
	e := new(entry)
	if sh.entries == nil {
		sh.entries = make(map[string]*entry)
	}
	sh.entries[string(key)] = e
	return e
}

func (sh *shard) remove(key string, e *entry) {
	delete(sh.entries, key)
	if e.expires != 0 {
		delete(sh.volatile, key)
	}
}

// expireAt sets when the entry of key expires; 0: never.
func (sh *shard) expireAt(key []byte, e *entry, at int64) {
	switch {
	case at == 0 && e.expires != 0:
		delete(sh.volatile, string(key))
	case at != 0 && e.expires == 0:
		if sh.volatile == nil {
			sh.volatile = make(map[string]*entry)
		}
		sh.volatile[string(key)] = e
	}
	e.expires = at
}

// set makes value a copy of v, in the memory of the last one if that fits.
func (e *entry) set(v []byte) {
	if cap(e.value) > 1024 && cap(e.value)/4 > len(v) {
		e.value = nil // not worth keeping
	}
	e.value = append(e.value[:0], v...)
}
