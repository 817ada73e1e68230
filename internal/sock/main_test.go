//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sock_test

import (
	"os"
	"testing"

	"github.com/go-weir/weir/internal/leaktest"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }
