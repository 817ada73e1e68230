package weir

// Set stores, by name, what the program wants to remember with the connection. Any
// goroutine; so are Get and Delete.
func (c *Connection) Set(key string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.besides()
	if a.values == nil {
		a.values = make(map[string]any)
	}
	a.values[key] = value
}

// Get returns what is stored under key, and whether there is anything.
func (c *Connection) Get(key string) (value any, exists bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aside != nil {
		value, exists = c.aside.values[key]
	}
	return value, exists
}

// Delete forgets what is stored under key.
func (c *Connection) Delete(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aside != nil {
		delete(c.aside.values, key)
	}
}
