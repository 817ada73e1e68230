package weir

import (
	"context"
	"errors"
	"sync"

	"github.com/go-weir/weir/internal/eventloop"
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
	s.goroutine.Store(goroutineNumber())
	defer close(s.done)
	s.metrics.start()
	s.log.Info("weir: serving", "addresses", s.Addrs(), "loops", len(s.loops))

	failed := make(chan error, len(s.loops)+1)
	var running sync.WaitGroup
	for _, l := range s.allLoops() {
		l.serve(&running, failed)
	}
	end := s.watch()
	err := s.await(failed)
	s.stopLoops()
	running.Wait()
	end()
	if err == nil && len(failed) > 0 {
		err = <-failed // it came together with a Stop, or after it
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
// though not for functions of timers, nor for the Logger at what the watchdog has to
// say. Called from a callback of this server it can't
// wait for itself: then it returns at once, and Start returns when all is closed. A
// callback of another server's waits as anybody does, so two servers must not stop
// each other at the same time. Stopping again changes nothing. The error is always nil.
func (s *Server) Stop() error {
	s.requestStop()
	if !s.ownGoroutine() {
		<-s.done
	}
	return nil
}

// requestStop has the end begin, and returns at once if there is a Start that brings it
// about.
func (s *Server) requestStop() {
	s.mu.Lock()
	first := !s.stopped
	if first {
		s.stopped = true
		close(s.stopping)
	}
	unstarted := !s.started
	s.mu.Unlock()
	if first && unstarted { // there is no Start that would do it
		s.goroutine.Store(goroutineNumber()) // should the Logger call Stop, it can't wait for this one
		s.timers.stop()
		s.release()
		close(s.done)
	}
}

// Shutdown stops accepting, and closes each connection when every message that
// was received from it is delivered, and everything accepted for it sent;
// within the linger time, as Close does. Received is what the system has
// acknowledged to the peer when the connection's loop comes to it, also if nobody
// has read it yet. A peer that takes nothing of what is unsent for the linger time is not
// waited for, whatever it has sent. When all are closed the server has
// stopped, and Shutdown returns nil. If ctx ends first, the end is begun as Stop
// does it, and Shutdown returns the context's error: at once, so that a callback that
// is running may still be, and OnClose of some connections yet to come; Stop waits for
// these. On a server that is stopping or has stopped it waits for that, in the same
// way.
//
// What is to be sent later, by other goroutines, must be sent before: a
// connection that has nothing left to do is closed.
//
// Called from a callback of this server it returns nil at once, and goes on by itself.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	started := s.started
	if started && !s.stopped && !s.drained {
		s.drained = true
		close(s.draining)
	}
	s.mu.Unlock()
	if !started {
		s.requestStop() // nothing is open
	}
	if s.ownGoroutine() {
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
	}
	select {
	case <-s.done: // both, and this is the better news
		return nil
	default:
		s.requestStop()
		return ctx.Err()
	}
}

// ownGoroutine reports whether the caller runs on a goroutine that the end of the
// server waits for: that of one of its loops, or of Start. Goroutines have a number that
// is never given to another one, which Go shows nowhere but in stacks.
func (s *Server) ownGoroutine() bool {
	n := goroutineNumber()
	if n == 0 {
		return false
	}
	if n == s.goroutine.Load() {
		return true
	}
	for _, l := range s.allLoops() {
		if n == l.goroutine.Load() {
			return true
		}
	}
	return false
}
