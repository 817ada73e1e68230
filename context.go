package weir

import "sync"

// KeyValueContext holds what a program wants to remember with a connection,
// by name. All of it is any goroutine. It costs nothing until the first Set.
type KeyValueContext struct {
	// guarded by mu
	mu sync.Mutex
	kv map[string]any
}

// Set stores value under key.
func (c *KeyValueContext) Set(key string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kv == nil {
		c.kv = make(map[string]any)
	}
	c.kv[key] = value
}

// Get returns what is stored under key, and whether there is anything.
func (c *KeyValueContext) Get(key string) (value any, exists bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, exists = c.kv[key]
	return value, exists
}

// Delete forgets what is stored under key.
func (c *KeyValueContext) Delete(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kv, key)
}
