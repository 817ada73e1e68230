//go:build !unix

package weir_test

import (
	"errors"
	"time"
)

func limitDescriptors(int) error { return errors.ErrUnsupported }

func cpuTime() (time.Duration, error) { return 0, errors.ErrUnsupported }
