package metrics_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-weir/weir"
)

// TestLiveOfMetricsServer: a server's MetricsServer has the live page, and its
// streams don't keep the server from stopping.
func TestLiveOfMetricsServer(t *testing.T) {
	s, err := weir.NewServer(echo{}, weir.Address("127.0.0.1:0"), weir.Name("gateway"), weir.MetricsServer("", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Start() }()
	base := "http://" + s.MetricsAddr().String()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for path, part := range map[string]string{"/": "<title>weir</title>", "/live/main.js": "import", "/metrics": "weir_server_state"} {
		r, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(body), part) {
			t.Errorf("%s: %s, %v, without %q", path, r.Status, err, part)
		}
	}
	stream, err := client.Get(base + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Buffer(nil, 1<<20)
	for !strings.Contains(lines.Text(), `"name":"gateway"`) {
		if !lines.Scan() {
			t.Fatalf("the stream ended without a sample: %v", lines.Err())
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for lines.Scan() { // it ends now, whatever it had on the way
	}
}
