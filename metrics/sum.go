package metrics

// Add adds the counts of o to s, which is or becomes a sum.
func (s *LoopStats) Add(o *LoopStats) {
	s.add(&o.LoopCounters)
	s.Busy += o.Busy
	s.Waited += o.Waited
	s.ListenersLost += o.ListenersLost
	s.Batches.Add(&o.Batches)
	s.Callbacks.Add(&o.Callbacks)
	s.TaskWaits.Add(&o.TaskWaits)
	s.TimerDelays.Add(&o.TimerDelays)
}

func (s *LoopCounters) add(o *LoopCounters) {
	s.Connections += o.Connections
	s.Accepted += o.Accepted
	s.Refused.add(&o.Refused)
	s.Opened += o.Opened
	s.Closed.add(&o.Closed)
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.MessagesIn += o.MessagesIn
	s.MessagesOut += o.MessagesOut
	s.Reads += o.Reads
	s.Writes += o.Writes
	s.InputBytes += o.InputBytes
	s.OutputBytes += o.OutputBytes
	s.Pauses += o.Pauses
	s.Paused += o.Paused
	s.SlowConsumers += o.SlowConsumers
	s.RefusedSends += o.RefusedSends
	s.Panics += o.Panics
	s.Stalls += o.Stalls
	s.Polls += o.Polls
	s.Waits += o.Waits
	s.Events += o.Events
	s.Tasks += o.Tasks
	s.Queued += o.Queued
	s.Timers += o.Timers
}

func (s *RefusedStats) add(o *RefusedStats) {
	s.MaxConnections += o.MaxConnections
	s.Descriptors += o.Descriptors
	s.Other += o.Other
}

func (s *ClosedStats) add(o *ClosedStats) {
	s.Peer += o.Peer
	s.Local += o.Local
	s.Idle += o.Idle
	s.Expired += o.Expired
	s.Slow += o.Slow
	s.Size += o.Size
	s.Panic += o.Panic
	s.Stopped += o.Stopped
	s.System += o.System
	s.Other += o.Other
}
