// The tables below the charts. Rows are kept and refilled, so that a selection or
// a reader's place survives the next second.

import { count, rate, byteRate, bytes, seconds, share } from './format.js';

// grid fills a table with rows of cells; a cell is a text, or { text, bar,
// meaning, press, pressed }: with a bar of that share behind it, with an explanation,
// or a button.
export function grid(table, columns, rows, empty) {
  if (!table.tHead) {
    const head = table.createTHead().insertRow();
    for (const { title, kind, hint } of columns) {
      const th = document.createElement('th');
      th.scope = 'col';
      th.textContent = title;
      if (kind) th.className = kind;
      if (hint) th.title = hint;
      head.append(th);
    }
    table.createTBody();
  }
  const body = table.tBodies[0];
  const wanted = rows.length || 1;
  while (body.rows.length > wanted) body.deleteRow(-1);
  while (body.rows.length < wanted) body.insertRow();
  if (rows.length === 0) {
    const cell = body.rows[0].cells.length === 1 ? body.rows[0].cells[0] : only(body.rows[0]);
    cell.colSpan = columns.length;
    cell.className = 'empty';
    cell.textContent = empty;
    return;
  }
  rows.forEach((row, i) => fill(body.rows[i], columns, row));
}

function only(row) {
  row.replaceChildren();
  return row.insertCell();
}

function fill(row, columns, cells) {
  if (row.cells.length !== columns.length) {
    row.replaceChildren();
    columns.forEach(({ kind }, i) => {
      const cell = document.createElement(i === 0 ? 'th' : 'td');
      if (i === 0) cell.scope = 'row';
      if (kind) cell.className = kind;
      row.append(cell);
    });
  }
  cells.forEach((cell, i) => put(row.cells[i], cell));
}

function put(td, cell) {
  const { text, bar, meaning, press, pressed } = typeof cell === 'object' ? cell : { text: cell };
  if (press) {
    let button = td.querySelector('button');
    if (!button) {
      button = document.createElement('button');
      button.type = 'button';
      td.replaceChildren(button);
    }
    button.onclick = press;
    button.setAttribute('aria-pressed', pressed);
    if (button.textContent !== text) button.textContent = text;
  } else if (meaning) {
    if (!td.firstChild) td.append(text, explained(meaning));
  } else if (td.textContent !== text) {
    td.textContent = text;
  }
  td.classList.toggle('zero', /^(0|–|·)/.test(text) && !/[1-9]/.test(text));
  if (bar !== undefined) {
    td.classList.add('bar');
    td.style.setProperty('--bar', `${(Math.min(1, bar || 0) * 100).toFixed(1)}%`);
  }
}

function explained(meaning) {
  const span = document.createElement('span');
  span.className = 'meaning';
  span.textContent = meaning;
  return span;
}

const loopColumns = [
  { title: 'Loop' },
  { title: 'Connections', kind: 'n' },
  { title: 'Busy', kind: 'n', hint: 'share of the time that it did not wait' },
  { title: 'Messages in', kind: 'n' },
  { title: 'out', kind: 'n' },
  { title: 'Bytes in', kind: 'n' },
  { title: 'out', kind: 'n' },
  { title: 'Backlog', kind: 'n', hint: 'bytes that wait for the system to take them' },
  { title: 'Held in', kind: 'n', hint: 'bytes received that are not yet part of a message' },
  { title: 'Tasks', kind: 'n', hint: 'functions from other goroutines that wait' },
  { title: 'p50', kind: 'n', hint: 'half of the callbacks of the last second were faster' },
  { title: 'p99', kind: 'n', hint: 'one in a hundred was slower' },
];

export function loops(table, point, names, chosen, choose) {
  grid(table, loopColumns, point.loops.map((l, i) => [
    { text: names[i], press: () => choose(chosen === String(i) ? 'all' : String(i)), pressed: chosen === String(i) },
    count(l.connections), { text: share(l.busy), bar: l.busy },
    rate(l.messages_in), rate(l.messages_out), byteRate(l.bytes_in), byteRate(l.bytes_out),
    bytes(l.output_bytes), bytes(l.input_bytes), count(l.queued), seconds(l.callback_p50), seconds(l.callback_p99),
  ]), 'no loop');
}

const connectionColumns = (worst) => [
  { title: 'Connection', kind: 'id' },
  { title: 'Peer', kind: 'id' },
  ...(worst === 'slow' ? [{ title: 'Longest', kind: 'n' }] : []),
  { title: 'To send', kind: 'n', hint: 'bytes that wait for the system to take them' },
  { title: 'Received', kind: 'n', hint: 'bytes received that are not yet part of a message' },
];

const held = (c) => (c.output ?? 0) + (c.input ?? 0);

// connections shows a list of the worst, undefined before the first has come.
export function connections(table, list, worst) {
  if (!list) {
    grid(table, connectionColumns(worst), [], 'Looking at the connections …');
    return;
  }
  const most = Math.max(...list.map((c) => (worst === 'slow' ? c.callback_max : held(c))));
  const barred = (text, n) => ({ text, bar: n / most });
  grid(table, connectionColumns(worst), list.map((c) => [
    c.id, c.peer ?? '–',
    ...(worst === 'slow' ? [barred(seconds(c.callback_max), c.callback_max)] : []),
    worst === 'slow' ? bytes(c.output ?? 0) : barred(bytes(c.output ?? 0), held(c)),
    bytes(c.input ?? 0),
  ]), worst === 'slow' ? 'No callback was timed yet.' : 'Nothing is held for any connection.');
}

// bars lists counts with what they grew by in the time shown.
export function bars(table, entries, totals, growth, span) {
  const most = Math.max(1, ...entries.map(([key]) => totals[key] ?? 0));
  grid(table, [{ title: 'What' }, { title: `Last ${span}`, kind: 'n' }, { title: 'Total', kind: 'n' }],
    entries.map(([key, meaning]) => [
      { text: key.replaceAll('_', ' '), meaning },
      growth[key] ? `+${count(growth[key])}` : '·',
      { text: count(totals[key] ?? 0), bar: (totals[key] ?? 0) / most },
    ]), '');
  table.tHead.rows[0].cells[1].textContent = `Last ${span}`;
}
