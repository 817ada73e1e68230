package eventloop_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/go-weir/weir/eventloop"
)

// TestHandle: a strategy can ask a loop what it has, and nothing else.
func TestHandle(t *testing.T) {
	var methods []string
	for m := range reflect.TypeFor[*eventloop.EventLoop]().Methods() {
		methods = append(methods, m.Name)
	}
	if want := []string{"ConnectionCount", "Index"}; !slices.Equal(methods, want) {
		t.Errorf("the methods are %v, want %v", methods, want)
	}
}
