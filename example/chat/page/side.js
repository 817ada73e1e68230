// What stands beside the messages: rooms, the server's rates, people.

import { avatar, element } from './log.js';

const $ = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

// people shows who is there: the first of them, and how many more.
export function people(here, names, me) {
  $('here').textContent = whole.format(here);
  $('here-short').textContent = whole.format(here);
  const shown = names.includes(me) ? [me, ...names.filter((n) => n !== me)] : [me, ...names];
  $('people').replaceChildren(...shown.map((name) => {
    const row = element('li');
    row.append(avatar(name), element('span', '', name === me ? `${name} (you)` : name));
    return row;
  }));
  const rest = here - shown.length;
  $('more').textContent = rest > 0 ? `and ${whole.format(rest)} more` : '';
}

// changes says in a line who has come and gone.
export function changes(p) {
  return [many(p.joined, p.joins, 'joined'), many(p.left, p.leaves, 'left')].filter(Boolean).join(', ');
}

function many(names = [], count, did) {
  if (count === 0) return '';
  const shown = count > names.length ? names.slice(0, 2) : names;
  if (count > shown.length) return `${shown.join(', ')} and ${whole.format(count - shown.length)} more ${did}`;
  return `${shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : shown[0]} ${did}`;
}

// rooms lists the largest rooms, and the one that we are in.
export function rooms(list, total, current) {
  if (current && !list.some((r) => r.name === current)) list = [{ name: current, here: 0 }, ...list];
  $('rooms-total').textContent = total > 1 ? whole.format(total) : '';
  const box = $('rooms');
  const old = new Map([...box.children].map((row) => [row.dataset.name, row]));
  const rows = list.map((r) => {
    const row = old.get(r.name) ?? newRoom(r.name);
    const link = row.firstElementChild;
    link.lastElementChild.textContent = r.here > 0 ? short.format(r.here) : '';
    link.setAttribute('aria-label', `${r.name}, ${r.here} here`);
    if (r.name === current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    return row;
  });
  // Rows that are in their place stay there: one of them may have the focus.
  rows.forEach((row, i) => { if (box.children[i] !== row) box.insertBefore(row, box.children[i] ?? null); });
  while (box.childElementCount > rows.length) box.lastElementChild.remove();
}

function newRoom(name) {
  const row = element('li');
  row.dataset.name = name;
  const link = element('a');
  link.href = `#${encodeURIComponent(name)}`;
  link.append(element('span', '', name), element('span'));
  row.append(link);
  return row;
}

const history = []; // messages per second, of the last minute
const fewest = 20, minute = 60; // points that the line is as wide as

// rates shows what the server does.
export function rates(s) {
  history.push(s.said);
  if (history.length > minute) history.shift();
  const show = (n) => (n < 9.95 ? n.toFixed(1).replace('.0', '') : n < 10000 ? whole.format(Math.round(n)) : short.format(n));
  $('rate').textContent = show(s.said);
  $('online').textContent = whole.format(s.online);
  $('delivered').textContent = show(s.delivered);
  const top = Math.max(1, ...history);
  const wide = Math.max(fewest, history.length);
  const x = (i) => ((wide - history.length + i) * 120 / (wide - 1)).toFixed(1);
  const points = history.map((n, i) => `${x(i)} ${(34 - n / top * 31).toFixed(1)}`);
  const line = `M${points.join('L')}`;
  $('spark').querySelector('.line').setAttribute('d', line);
  $('spark').querySelector('.area').setAttribute('d', `${line}L120 36L${x(0)} 36Z`);
}

// me shows our name.
export function me(name) {
  $('me-name').textContent = name;
  $('me').firstElementChild.replaceWith(avatar(name));
}
