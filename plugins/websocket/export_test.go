package websocket

// RunAside has f run by one of the goroutines that inflate messages.
func (p *Protocol) RunAside(f func()) { p.pool.run(f) }

// EndSilent ends the connection as the keeper does when no pong has come. Loop only.
func (w *Conn) EndSilent() { w.settle(ErrPongTimeout) }
