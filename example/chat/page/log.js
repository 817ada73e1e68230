// The messages: text as text, never as HTML, and no more of them than a page bears.

const most = 500; // in the page
const together = 120000; // ms: within them, messages of one person stand together

const list = document.getElementById('log');
const scroller = document.getElementById('scroller');
const newer = document.getElementById('newer');

let queue = []; // to be shown with the next frame
let planned = false;
let last = null; // the last message shown, if nothing stands behind it
let number = 0; // of the last message
let bottom = true; // the newest is in view, and stays so

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

// element makes one that holds text.
export function element(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// hue is a person's colour.
export function hue(name) {
  let h = 0;
  for (const c of name) h = (h * 31 + c.codePointAt(0)) % 3600;
  return h / 10;
}

// avatar is an initial on that colour.
export function avatar(name) {
  const e = element('span', 'avatar', [...name][0]?.toUpperCase() ?? '');
  e.setAttribute('aria-hidden', 'true');
  e.style.setProperty('--hue', hue(name));
  return e;
}

// start empties the log and fills it with what was said before.
export function start(history, me) {
  queue = [];
  number = 0;
  last = null;
  bottom = true;
  list.setAttribute('aria-live', 'off'); // what is old is not read out
  list.replaceChildren();
  if (history.length === 0) {
    list.append(element('li', 'empty', 'Nothing was said here yet. Say something.'));
  }
  for (const m of history) say(m, me);
  flush();
  requestAnimationFrame(() => list.setAttribute('aria-live', 'polite'));
}

// say adds a message, unless it is there already.
export function say(m, me) {
  if (m.n <= number) return;
  number = m.n;
  plan({ ...m, mine: m.from === me });
}

// event adds a line about what has happened.
export function event(text) {
  plan({ event: text });
}

function plan(entry) {
  queue.push(entry);
  if (planned) return;
  planned = true;
  // A page in the background gets no frames.
  if (document.hidden) setTimeout(flush, 200);
  else requestAnimationFrame(flush);
}

function flush() {
  planned = false;
  if (queue.length === 0) {
    stick();
    return;
  }
  list.querySelector('.empty')?.remove();
  const rows = document.createDocumentFragment();
  for (const entry of queue.splice(0).slice(-most)) rows.append(entry.event ? happened(entry.event) : spoken(entry));
  list.append(rows);
  while (list.childElementCount > most) list.firstElementChild.remove();
  stick();
}

// stick keeps the newest in view, or says that there is something newer.
function stick() {
  if (bottom) scroller.scrollTop = scroller.scrollHeight;
  newer.hidden = bottom;
}

function happened(text) {
  last = null;
  return element('li', 'event', text);
}

function spoken(m) {
  const goesOn = last && last.from === m.from && m.at - last.at < together;
  last = m;
  const row = element('li', `${goesOn ? '' : 'first'} ${m.mine ? 'mine' : ''}`.trim());
  if (goesOn) {
    row.append(element('span', 'hidden', `${m.from}: `));
  } else {
    const head = element('div', 'head');
    const from = element('span', 'from', m.from);
    from.style.setProperty('--hue', hue(m.from));
    const time = element('time', '', clock.format(m.at));
    time.dateTime = new Date(m.at).toISOString();
    time.title = date.format(m.at);
    head.append(from, time);
    row.append(avatar(m.from), head);
  }
  row.append(element('div', 'text', m.text));
  return row;
}

scroller.addEventListener('scroll', () => {
  bottom = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40;
  if (bottom) newer.hidden = true;
}, { passive: true });
new ResizeObserver(stick).observe(scroller);
newer.addEventListener('click', () => {
  bottom = true;
  stick();
});
