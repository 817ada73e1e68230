package http1_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-weir/weir/plugins/http1"
)

// TestDates: the Date field is that of the present second.
func TestDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		get := http1.NewDates()
		time.Sleep(350 * time.Millisecond) // a bubble begins with a second
		for range 12 {
			want := "Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n"
			if got := get(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			time.Sleep(300 * time.Millisecond)
			synctest.Wait()
		}
	})
}
