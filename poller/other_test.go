//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package poller_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/go-weir/weir/poller"
)

func TestNoBackend(t *testing.T) {
	p, err := poller.New()
	if p != nil || !errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("New = %v, %v; want nil, errors.ErrUnsupported", p, err)
	}
	if !strings.Contains(err.Error(), runtime.GOOS) {
		t.Errorf("%q does not name %s", err, runtime.GOOS)
	}
}
