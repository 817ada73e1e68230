//go:build !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package poller

import (
	"errors"
	"fmt"
	"runtime"
)

// New returns an error that is [errors.ErrUnsupported]: there is no backend for this system yet.
func New() (Poller, error) {
	return nil, fmt.Errorf("poller: %w on %s", errors.ErrUnsupported, runtime.GOOS)
}
