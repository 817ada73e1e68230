package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-weir/weir/plugins/resp"
)

// redisVersion is the version whose behaviour the commands have.
const redisVersion = "7.0.15"

// cmdCommand describes the commands, for redis-cli to complete and for libraries
// that have to know where the keys are.
func cmdCommand(s *server, cl *client, args [][]byte, out []byte) []byte {
	names := s.commands.names
	if len(args) == 1 {
		return s.commands.appendInfo(out, cl.version, names)
	}
	switch lower(args[1]) {
	case "count":
		if len(args) > 2 {
			return appendArity(out, "command|count")
		}
		return resp.AppendInt(out, int64(len(names)))
	case "list":
		return appendStrings(out, names)
	case "docs":
		return cl.version.AppendMap(out, 0)
	case "info":
		if len(args) > 2 {
			names = nil
			for _, arg := range args[2:] {
				names = append(names, lower(arg))
			}
		}
		return s.commands.appendInfo(out, cl.version, names)
	}
	return appendNoSub(out, "COMMAND", args[1])
}

func (c commands) appendInfo(out []byte, v resp.Version, names []string) []byte {
	out = resp.AppendArray(out, len(names))
	for _, name := range names {
		cmd := c.find([]byte(name))
		if cmd == nil {
			out = v.AppendNullArray(out)
			continue
		}
		out = resp.AppendArray(out, 6)
		out = resp.AppendBulk(out, name)
		out = resp.AppendInt(out, int64(cmd.arity))
		out = cmd.flags.append(out, v)
		for _, n := range cmd.keys {
			out = resp.AppendInt(out, int64(n))
		}
	}
	return out
}

// append appends the set of the flags' names.
func (f flags) append(out []byte, v resp.Version) []byte {
	var names []string
	for i, name := range []string{"write", "readonly", "fast", "no_auth", "pubsub"} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	out = v.AppendSet(out, len(names))
	for _, name := range names {
		out = resp.AppendSimple(out, name)
	}
	return out
}

// cmdConfig is "CONFIG GET pattern...": what there is of Redis's settings. They
// can't be changed.
func cmdConfig(_ *server, cl *client, args [][]byte, out []byte) []byte {
	if lower(args[1]) != "get" {
		return appendNoSub(out, "CONFIG", args[1])
	}
	if len(args) == 2 {
		return appendArity(out, "config|get")
	}
	settings := map[string]string{
		"appendonly":         "no",
		"databases":          "1",
		"maxmemory":          "0",
		"proto-max-bulk-len": strconv.Itoa(maxBulk),
		"save":               "",
	}
	found := slices.DeleteFunc(slices.Sorted(maps.Keys(settings)), func(name string) bool {
		return !slices.ContainsFunc(args[2:], func(pattern []byte) bool { return match(lower(pattern), name) })
	})
	out = cl.version.AppendMap(out, len(found))
	for _, name := range found {
		out = resp.AppendBulk(resp.AppendBulk(out, name), settings[name])
	}
	return out
}

// cmdInfo is "INFO [section...]".
func cmdInfo(s *server, cl *client, args [][]byte, out []byte) []byte {
	st := s.weir.Stats()
	sections := []struct{ name, text string }{
		{"server", fmt.Sprintf("redis_version:%s\r\nredis_mode:standalone\r\ngo_version:%s\r\nio_threads_active:%d\r\n"+
			"uptime_in_seconds:%d\r\n", redisVersion, runtime.Version(), len(st.Loops), int(time.Since(s.started).Seconds()))},
		{"clients", fmt.Sprintf("connected_clients:%d\r\n", st.Open)},
		{"stats", fmt.Sprintf("total_connections_received:%d\r\ntotal_commands_processed:%d\r\n"+
			"total_net_input_bytes:%d\r\ntotal_net_output_bytes:%d\r\n", st.Opened, st.MessagesIn, st.BytesIn, st.BytesOut)},
		{"replication", "role:master\r\nconnected_slaves:0\r\n"},
		{"keyspace", s.store.info()},
	}
	var texts []string
	for _, section := range sections {
		if len(args) == 1 || slices.ContainsFunc(args[1:], func(arg []byte) bool {
			name := lower(arg)
			return name == section.name || name == "all" || name == "everything" || name == "default"
		}) {
			texts = append(texts, "# "+strings.ToUpper(section.name[:1])+section.name[1:]+"\r\n"+section.text)
		}
	}
	return cl.version.AppendVerbatim(out, "txt", strings.Join(texts, "\r\n"))
}

func (s *store) info() string {
	n := s.len()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("db0:keys=%d\r\n", n)
}
