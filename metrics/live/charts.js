// Which charts there are, and what they show.

import { count, rate, byteRate, bytes, seconds, share } from './format.js';

const colours = 6; // that can be told apart

// Two lines, of all loops or of the one that was chosen.
const two = (a, b, names) => ({ points, loop }) => [a, b].map((key, i) => ({
  label: names[i], colour: `c${i}`, area: i === 0, values: points.map((p) => of(p, loop)[key]),
}));

const of = (p, loop) => (loop === 'all' ? p.all : p.loops[loop] ?? p.all);

// A line for each loop. Of many, the highest is named and the others are the
// background that it stands out from.
const each = (key) => ({ points, loop, names }) => {
  const line = (i, colour, more) => ({ label: names[i], colour, values: points.map((p) => p.loops[i]?.[key] ?? NaN), ...more });
  if (loop !== 'all') return [line(Number(loop), 'c0', { area: true })];
  if (names.length <= colours) return names.map((_, i) => line(i, `c${i}`, { area: names.length === 1 }));
  const recent = names.map((_, i) => points.slice(-10).reduce((sum, p) => sum + (p.loops[i]?.[key] ?? 0), 0));
  const top = recent.indexOf(Math.max(...recent));
  return [
    ...names.map((_, i) => line(i, 'c0', { faint: true })),
    line(top, 'c1', { label: `${names[top]}, the highest of ${names.length}` }),
  ];
};

const connections = ({ points, loop }) => [
  { label: 'open', colour: 'c0', area: true, values: points.map((p) => of(p, loop).connections) },
  { label: 'new', format: rate, values: points.map((p) => of(p, loop).opened) },
];

export const charts = [
  { id: 'connections', title: 'Connections', format: count, least: 3, series: connections },
  { id: 'messages', title: 'Messages', format: rate, least: 3, series: two('messages_in', 'messages_out', ['in', 'out']) },
  { id: 'bytes', title: 'Bytes', format: byteRate, unit: 'bytes', least: 300, series: two('bytes_in', 'bytes_out', ['in', 'out']) },
  { id: 'busy', title: 'Loop busy share', format: share, least: 1, series: each('busy') },
  { id: 'backlog', title: 'Outbound backlog', format: bytes, unit: 'bytes', least: 300, series: each('output_bytes') },
  { id: 'callback', title: 'Callback time', format: seconds, unit: 'log', least: 1e-5, series: two('callback_p50', 'callback_p99', ['p50', 'p99']) },
];
