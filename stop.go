package weir

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/go-weir/weir/eventloop"
)

// Start serves until Stop or Shutdown, and returns nil when everything is
// closed. If a loop's poller fails, everything is closed too, and Start returns
// that error. On a server that was started before it returns ErrServerStarted, on
// one that was stopped before, ErrServerStopped.
func (s *Server) Start() error {
	s.mu.Lock()
	switch {
	case s.stopped || s.drained:
		s.mu.Unlock()
		return ErrServerStopped
	case s.started:
		s.mu.Unlock()
		return ErrServerStarted
	}
	s.started = true
	s.mu.Unlock()
	defer close(s.done)
	s.metrics.start()
	s.log.Info("weir: serving", "addresses", s.Addrs(), "loops", len(s.loops))

	failed := make(chan error, len(s.loops)+1)
	var running sync.WaitGroup
	for _, l := range s.allLoops() {
		running.Go(func() {
			l.goroutine.Store(goroutineNumber())
			if err := l.Run(); err != nil {
				failed <- err
			}
		})
	}
	end := s.watch()
	err := s.await(failed)
	s.stopLoops()
	running.Wait()
	end()
	if err == nil && len(failed) > 0 {
		err = <-failed // it came together with a Stop, or after it
	}
	for _, l := range s.loops {
		l.closeAll() // what a loop that failed has left
		l.publish()
	}
	s.timers.stop()
	s.release()
	s.log.Info("weir: stopped", "err", err)
	return err
}

// await starts to accept, and returns when it is time to stop.
func (s *Server) await(failed <-chan error) error {
	err := s.onAcceptors(func(ln *listener) error { return ln.start() })
	if err != nil {
		return err
	}
	select {
	case <-s.stopping:
	case err = <-failed:
	case <-s.draining:
		err = s.drain(failed)
	}
	return err
}

// drain stops accepting, lets every connection finish, and returns when all
// have, or when it is time to stop.
func (s *Server) drain(failed <-chan error) error {
	s.log.Info("weir: draining", "connections", s.open.Load())
	_ = s.onAcceptors(func(ln *listener) error { ln.close(); return nil }) // which returns none
	for _, l := range s.loops {
		l.Post(eventloop.Task{Target: eventloop.Func(l.drain)})
	}
	for s.open.Load() > 0 {
		select {
		case <-s.stopping:
			return nil
		case err := <-failed:
			return err
		case <-s.ended:
		}
	}
	return nil
}

// onAcceptors runs f for every listener on its loop, and waits.
func (s *Server) onAcceptors(f func(*listener) error) error {
	var wait sync.WaitGroup
	errs := make([]error, len(s.listeners))
	for i, ln := range s.listeners {
		wait.Add(1)
		task := eventloop.Func(func() { errs[i] = f(ln); wait.Done() })
		if !ln.loop.Post(eventloop.Task{Target: task}) {
			wait.Done() // the loop has failed
		}
	}
	wait.Wait()
	return errors.Join(errs...)
}

// stopLoops closes what is open, and ends the loops once they have run what
// was posted before.
func (s *Server) stopLoops() {
	_ = s.onAcceptors(func(ln *listener) error { ln.close(); return nil }) // which returns none
	for _, l := range s.allLoops() {
		l.Post(eventloop.Task{Target: eventloop.Func(l.stop)})
	}
}

// release closes what belongs to no loop that runs.
func (s *Server) release() {
	s.metrics.stop()
	for _, ln := range s.listeners {
		ln.close()
	}
	for _, l := range s.allLoops() {
		if err := l.Close(); err != nil {
			s.log.Error("weir: closing a poller", "err", err)
		}
	}
}

// Stop closes all listeners and connections now, without sending what is
// unsent; every OnClose still runs. Timers start no run any more.
//
// It returns when all is closed, and so waits for callbacks that are running,
// though not for functions of timers. Called from a callback it can't wait for
// itself: then it returns at once, and Start returns when all is closed. Stopping
// again changes nothing. The error is always nil.
func (s *Server) Stop() error {
	s.mu.Lock()
	first := !s.stopped
	if first {
		s.stopped = true
		close(s.stopping)
	}
	unstarted := !s.started
	s.mu.Unlock()
	if first && unstarted { // there is no Start that would do it
		s.timers.stop()
		s.release()
		close(s.done)
	}
	if !onLoop() {
		<-s.done
	}
	return nil
}

// Shutdown stops accepting, and closes each connection when every message that
// was received from it is delivered, and everything accepted for it sent;
// within the linger time, as Close does. Received is what the system has
// acknowledged to the peer when the connection's loop comes to it, also if nobody
// has read it yet. When all are closed the server has
// stopped, and Shutdown returns nil. If ctx ends first, the server is stopped as
// Stop does it, and Shutdown returns the context's error.
//
// What is to be sent later, by other goroutines, must be sent before: a
// connection that has nothing left to do is closed.
//
// Called from a callback it returns nil at once, and goes on by itself.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.started || s.stopped {
		s.mu.Unlock()
		return s.Stop()
	}
	if !s.drained {
		s.drained = true
		close(s.draining)
	}
	s.mu.Unlock()
	if onLoop() {
		go func() { _ = s.finish(ctx) }() // nobody is there to be told
		return nil
	}
	return s.finish(ctx)
}

// finish waits for the end, or makes it come when ctx ends.
func (s *Server) finish(ctx context.Context) error {
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		_ = s.Stop() // which returns none
		return ctx.Err()
	}
}

// onLoop reports whether the caller was called by an event loop, or by Start
// after its loop has failed: their frame is then on its stack.
func onLoop() bool {
	pcs := make([]uintptr, 64)
	for skip := 2; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs)
		frames := runtime.CallersFrames(pcs[:n])
		for more := n > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if f.Function == runFrame || f.Function == startFrame {
				return true
			}
		}
		if n < len(pcs) {
			return false
		}
	}
}

// The names of the methods that call the user's functions.
const (
	runFrame   = "github.com/go-weir/weir/eventloop.(*EventLoop).Run"
	startFrame = "github.com/go-weir/weir.(*Server).Start"
)
