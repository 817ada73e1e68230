-- wrk.lua DEPTH: each batch is DEPTH requests. At the end, a line that a program can read; times are in microseconds.

function init(args)
  local batch = string.rep(wrk.format("GET"), tonumber(args[1]))
  -- wrk asks for its request once, and from then on sends it without asking again. A function request() would be called
  -- for each batch.
  wrk.format = function() return batch end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"elapsed":%d,"p50":%d,"p90":%d,"p99":%d,"max":%d,"status":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(90), latency:percentile(99),
    latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
