// What the samples say: the server sends totals, here they become rates.

export const keep = 5 * 60 * 1000; // ms of samples that are kept
const longest = 3500; // ms between two samples that still belong together

const rates = ['messages_in', 'messages_out', 'bytes_in', 'bytes_out', 'opened', 'accepted', 'pauses'];
const levels = ['connections', 'busy', 'output_bytes', 'input_bytes', 'queued', 'callback_p50', 'callback_p99'];

// Model keeps the last five minutes of every server.
export class Model {
  servers = new Map(); // name to { points, last, first }

  // add takes a sample that is newer than all before, and ignores any other: after
  // a lost connection the server's history repeats what is known.
  add(sample) {
    for (const server of sample.servers) {
      let known = this.servers.get(server.name);
      if (!known) {
        known = { points: [], raw: [], tables: server };
        this.servers.set(server.name, known);
      }
      const before = known.raw.at(-1);
      if (before && sample.t <= before.t) continue;
      known.raw.push({ t: sample.t, server });
      known.points.push(point(sample.t, server, before));
      if (server.slowest) known.tables = server;
      while (known.raw[0].t < sample.t - keep) {
        known.raw.shift();
        known.points.shift();
      }
    }
  }

  latest(name) {
    return this.servers.get(name)?.raw.at(-1);
  }

  // since is the growth of each count in the last ms, from the first sample after
  // the latest restart.
  since(name, ms, pick) {
    const raw = this.servers.get(name).raw;
    const last = raw.at(-1);
    let i = raw.length - 1;
    while (i > 0 && raw[i - 1].t >= last.t - ms && !restarted(raw[i - 1].server, raw[i].server)) i--;
    const from = pick(raw[i].server) ?? {};
    const growth = {};
    for (const [key, n] of Object.entries(pick(last.server) ?? {})) growth[key] = n - (from[key] ?? 0);
    return growth;
  }
}

// restarted tells that the counts have begun again: another process answers.
function restarted(before, now) {
  return before.loops.length !== now.loops.length ||
    now.loops.some((l, i) => rates.some((key) => (l[key] ?? 0) < (before.loops[i][key] ?? 0)));
}

function point(t, server, before) {
  const joined = before && t - before.t <= longest && !restarted(before.server, server);
  const dt = joined ? (t - before.t) / 1000 : NaN;
  const loops = server.loops.map((loop, i) => {
    const p = {};
    for (const key of levels) p[key] = loop[key] ?? (key.startsWith('callback') ? NaN : 0);
    for (const key of rates) p[key] = joined ? ((loop[key] ?? 0) - (before.server.loops[i][key] ?? 0)) / dt : NaN;
    return p;
  });
  const all = { connections: server.open, callback_p50: server.callback_p50 ?? NaN, callback_p99: server.callback_p99 ?? NaN };
  for (const key of [...rates, 'output_bytes', 'input_bytes', 'queued']) {
    all[key] = loops.reduce((sum, l) => sum + l[key], 0);
  }
  all.busy = loops.reduce((most, l) => Math.max(most, l.busy), 0);
  return { t, joined: Boolean(joined), loops, all };
}
