package eventloop_test

import (
	"os"
	"testing"

	"github.com/go-weir/weir/internal/leaktest"
)

func TestMain(m *testing.M) { os.Exit(leaktest.Run(m)) }
