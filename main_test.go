package weir_test

import (
	"os"
	"testing"

	"github.com/go-weir/weir/internal/leaktest"
)

func TestMain(m *testing.M) {
	if runAsChild(os.Args[1:]) {
		return
	}
	os.Exit(leaktest.Run(m))
}
