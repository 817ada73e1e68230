package websocket

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-weir/weir/plugins/websocket/codec"
)

// TestLimitsTable: the table in the documentation says what the code does.
func TestLimitsTable(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	size := func(n int) string {
		switch {
		case n >= 1<<20 && n%(1<<20) == 0:
			return fmt.Sprintf("%d MiB", n>>20)
		case n >= 1<<10 && n%(1<<10) == 0:
			return fmt.Sprintf("%d KiB", n>>10)
		}
		return fmt.Sprintf("%d bytes", n)
	}
	number := func(n int) string {
		if n < 1000 {
			return fmt.Sprint(n)
		}
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	seconds := func(d time.Duration) string { return fmt.Sprintf("%d s", d/time.Second) }
	o := defaultOptions()
	want := []string{
		"HeadLimit " + size(o.headLimit),
		"HandshakeTimeout " + seconds(o.handshake),
		"MessageLimit " + size(codec.DefaultMessage),
		"FrameLimit " + number(codec.DefaultFrames),
		"MessageTimeout " + seconds(o.messageTime),
		"InflatedLimit " + size(codec.DefaultInflated),
		"PinnedLimit " + size(codec.DefaultPinned),
		"Deflate.Memory " + size(codec.DefaultMemory),
		"KeepAlive " + seconds(o.ping),
		"KeepAlive " + seconds(o.pong),
		"KeepAlive " + seconds(o.ping+o.pong),
		"CloseTimeout " + seconds(o.closing),
		"weir.Linger 5 s",         // which tests of weir hold
		"WriteBufferLimit 64 MiB", // likewise
		"SlowSubscribers " + size(o.hub.backlog),
		"PublishLimit " + size(o.hub.publish),
		"MaxTopics " + number(o.hub.topics),
		"MaxTopicName " + size(o.hub.name),
		"InflateAside " + number(o.inflaters),
	}
	rows := regexp.MustCompile(`(?m)^//\t.+?\s{2,}(\S+)\s{2,}(\S.*?)\s{2,}\S.*$`).FindAllStringSubmatch(string(page), -1)
	var have []string
	for _, r := range rows {
		if r[1] != "option" { // the heading
			have = append(have, r[1]+" "+r[2])
		}
	}
	if got, want := strings.Join(have, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("the table says\n%s\nthe code\n%s", got, want)
	}
}
