package weir_test

import (
	"encoding/json"
	"time"

	"github.com/go-weir/weir"
)

// stoppedIdleTime is that of stoppedChild's server: time for whoever answers it at once,
// and less than it is stopped for.
const stoppedIdleTime = time.Second

// stoppedChild is an echo server that will be stopped for a while. It says where it is,
// and at the end how many of its connections are left and how it got at their input.
func stoppedChild(command *json.Decoder, answer *json.Encoder) error {
	s, err := weir.NewServer(&handler{message: echo}, weir.Address("127.0.0.1:0"), weir.NumLoops(2),
		weir.IdleTime(stoppedIdleTime), quiet())
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	if err := answer.Encode(s.Addrs()[0].String()); err != nil {
		return err
	}
	_ = command.Decode(new(int)) // the parent has closed it
	if err := s.Stop(); err != nil {
		return err
	}
	return <-ended
}
