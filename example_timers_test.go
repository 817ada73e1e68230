package weir_test

import (
	"fmt"
	"log"
	"time"

	"github.com/go-weir/weir"
)

// One run ends before the next begins, so what only the function uses needs no
// lock.
func ExampleServer_RunEvery() {
	s, err := weir.NewServer(upper{}, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	runs, n := make(chan int), 0
	timer := s.RunEvery(time.Millisecond, func() {
		if n++; n <= 3 {
			runs <- n
		}
	})
	fmt.Println("runs", <-runs, <-runs, <-runs)
	fmt.Println("stopped:", timer.Stop())
	fmt.Println("stopped again:", timer.Stop())
	_ = s.Stop() // timers run without Start, too, and end here if they have not been stopped
	// Output:
	// runs 1 2 3
	// stopped: true
	// stopped again: false
}

func ExampleServer_RunAfter() {
	s, err := weir.NewServer(upper{}, weir.Address("127.0.0.1:0"))
	if err != nil {
		log.Fatal(err)
	}
	ran := make(chan string)
	s.RunAfter(time.Millisecond, func() { ran <- "a moment later" })
	never := s.RunAfter(time.Hour, func() { ran <- "an hour later" })
	fmt.Println("stopped in time:", never.Stop())
	fmt.Println(<-ran)
	_ = s.Stop() // which has no error to return
	// Output:
	// stopped in time: true
	// a moment later
}
