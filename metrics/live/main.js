// The page: what is chosen, and the parts that show it.

import { Chart } from './chart.js';
import { charts } from './charts.js';
import { follow } from './stream.js';
import { Model, keep } from './model.js';
import { ago } from './format.js';
import * as tables from './tables.js';

const $ = (id) => document.getElementById(id);

const model = new Model();
const chosen = { server: null, loop: 'all', window: keep, pointed: null };
let connection = 'connecting'; // live, lost
let offset = 0; // of this machine's clock to the server's, ms

const drawn = charts.map((options) => new Chart($('charts'), options, (t) => {
  chosen.pointed = t;
  request();
}));

// What the counts mean, in the order in which they are shown.
const causes = [
  ['peer', 'The peer ended its stream.'],
  ['local', 'The program called Close.'],
  ['idle', 'Nothing came for the idle time.'],
  ['expired', 'A read or write deadline passed.'],
  ['slow', 'The peer did not read, and what waited for it reached the limit.'],
  ['size', 'A message was larger than the limit.'],
  ['panic', 'A callback panicked.'],
  ['stopped', 'The server was stopped.'],
  ['system', 'A system call failed; resets by the peer are among them.'],
  ['other', 'CloseWithError was given another error.'],
];
const reasons = [
  ['max_connections', 'As many were open as are allowed.'],
  ['descriptors', 'The process or the system had no descriptor left.'],
  ['other', 'The loop had stopped, or registering failed.'],
];
const troubles = [
  ['pauses', 'Reading from a peer paused, because what waited for it passed the high-water mark.'],
  ['refused_sends', 'A Send was refused, because what waited for the peer reached the limit.'],
  ['stalls', 'A callback blocked its loop for longer than the watchdog allows.'],
  ['panics', 'A callback or a timer panicked.'],
];

// loopNames tells the loop that only accepts for the others from those that serve.
function loopNames(server) {
  return server.loops.map((l) => (l.accepted && !l.opened && server.loops.length > 1 ? 'acceptor' : `loop ${l.loop}`));
}

// options fills a select without closing it while it is open.
function options(select, entries, value) {
  const same = select.options.length === entries.length &&
    entries.every(([v, text], i) => select.options[i].value === v && select.options[i].text === text);
  if (!same) select.replaceChildren(...entries.map(([v, text]) => new Option(text, v)));
  select.value = value;
}

function now() {
  return Date.now() + offset;
}

function render() {
  scheduled = false;
  renderState();
  const latest = model.latest(chosen.server);
  if (!latest || document.hidden) return;
  const { server, t } = latest;
  const { points, tables: withTables } = model.servers.get(chosen.server);
  const names = loopNames(server);
  if (chosen.loop !== 'all' && !server.loops[chosen.loop]) chosen.loop = 'all';
  options($('loop'), [['all', 'all'], ...names.map((name, i) => [String(i), name])], chosen.loop);

  const from = points.findIndex((p) => p.t >= t - chosen.window);
  const shown = points.slice(Math.max(0, from - 1));
  const frame = {
    start: t - chosen.window, span: chosen.window, pointed: chosen.pointed,
    times: shown.map((p) => p.t), cut: shown.map((p) => !p.joined),
  };
  charts.forEach((chart, i) => {
    drawn[i].draw({ ...frame, series: chart.series({ points: shown, loop: chosen.loop, names }) });
  });
  renderTables(server, withTables, points.at(-1), names);
}

function renderTables(server, withTables, point, names) {
  tables.loops($('loops'), point, names, chosen.loop, (loop) => {
    chosen.loop = loop;
    request();
  });
  tables.connections($('slowest'), withTables.slowest, 'slow');
  tables.connections($('fattest'), withTables.fattest, 'fat');
  const span = chosen.window > 60000 ? `${chosen.window / 60000} min` : `${chosen.window / 1000} s`;
  for (const [id, entries, pick] of [
    ['closed', causes, (s) => s.closed], ['refused', reasons, (s) => s.refused], ['trouble', troubles, (s) => s.trouble],
  ]) {
    tables.bars($(id), entries, pick(server) ?? {}, model.since(chosen.server, chosen.window, pick), span);
  }
}

function renderState() {
  const server = model.latest(chosen.server)?.server;
  const names = [...model.servers.keys()];
  options($('server'), names.map((name) => [name, name]), chosen.server);
  $('server-choice').hidden = names.length < 2;
  const state = connection === 'live' ? server?.state ?? 'serving' : connection;
  const latest = model.latest(chosen.server);
  const text = state === 'lost' ? 'disconnected, retrying' : state;
  $('seen').textContent = state === 'lost' && latest ? `last seen ${ago(now() - latest.t)}` : '';
  const box = $('state');
  box.dataset.state = state;
  if (box.textContent !== text) box.textContent = text;
  document.body.classList.toggle('stale', state === 'lost');
  document.title = (chosen.server ? `${chosen.server} · ` : '') + 'weir' + (state === 'serving' ? '' : ` (${state})`);
}

// request draws once before the next frame, however often it is called.
let scheduled = false;
function request() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(render);
}

function take(sample) {
  offset = sample.t - Date.now();
  model.add(sample);
  chosen.server ??= sample.servers[0]?.name ?? null;
}

follow('live', {
  onHistory({ samples }) {
    samples.forEach(take);
    request();
  },
  onSample(sample) {
    take(sample);
    request();
  },
  onState(state) {
    connection = state;
    renderState();
    request();
  },
});

$('server').addEventListener('change', (e) => {
  Object.assign(chosen, { server: e.target.value, loop: 'all' });
  request();
});
$('loop').addEventListener('change', (e) => {
  chosen.loop = e.target.value;
  request();
});
for (const radio of document.querySelectorAll('input[name=window]')) {
  if (radio.checked) chosen.window = Number(radio.value) * 1000;
  radio.addEventListener('change', () => {
    chosen.window = Number(radio.value) * 1000;
    request();
  });
}
document.querySelector('form').addEventListener('submit', (e) => e.preventDefault());
document.addEventListener('visibilitychange', request);
new ResizeObserver(request).observe($('charts'));
