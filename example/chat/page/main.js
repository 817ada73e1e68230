// The page of the chat: what comes from the server is shown, what is typed is sent.

import { connect } from './socket.js';
import * as log from './log.js';
import * as side from './side.js';

const $ = (id) => document.getElementById(id);

let wanted = sessionStorage.getItem('name') ?? ''; // the name that we ask for
let name = ''; // the one that we have
let room = ''; // the one that we are in
let socket = null;
let unsent = ''; // what was sent last, should it be refused
let latest = null; // the last figures

// ---- where we are

const roomInURL = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)).toLowerCase();
  } catch {
    return '';
  }
};
const target = () => roomInURL() || 'lobby';

function join() {
  socket?.send({ t: 'join', room: target(), name: wanted });
}

addEventListener('hashchange', () => {
  drawers();
  if (wanted && target() !== room) join();
});

// ---- what the server says

const heard = {
  room(m) {
    const moved = room !== m.room || name !== m.name;
    room = m.room;
    name = m.name;
    document.title = `#${room} · weir chat`;
    $('room').textContent = room;
    $('text').placeholder = `Message #${room}`;
    if (roomInURL() !== room) history.replaceState(null, '', `#${encodeURIComponent(room)}`);
    side.me(name);
    side.people(m.here, m.names, name);
    log.start(m.history, name);
    if (latest) side.rooms(latest.rooms, latest.total, room);
    notice('');
    socket.settled();
    enable(true);
    if (moved && matchMedia('(hover: hover)').matches) $('text').focus();
  },
  say(m) {
    if (m.from === name) unsent = '';
    log.say(m, name);
  },
  here(m) {
    side.people(m.here, m.names, name);
    const line = side.changes({ ...m, ...without(m) });
    if (line) log.event(line);
  },
  stats(m) {
    latest = m;
    side.rates(m);
    side.rooms(m.rooms, m.total, room);
  },
  error(m) {
    if (m.code === 'name' || m.code === 'room') return door(m.text);
    notice(m.text);
    if (unsent && !$('text').value) {
      $('text').value = unsent;
      typed();
    }
  },
};

// without takes ourselves out of those who have come.
function without(m) {
  if (!m.joined?.includes(name)) return {};
  return { joined: m.joined.filter((n) => n !== name), joins: m.joins - 1 };
}

// ---- the connection's state

const words = { idle: '', connecting: 'connecting', connected: 'connected', waiting: 'disconnected', closed: 'closed' };

function state(now, seconds, why) {
  $('state').dataset.state = now;
  const text = words[now];
  if ($('state').lastElementChild.textContent !== text) $('state').lastElementChild.textContent = text;
  $('banner').hidden = now === 'idle' || now === 'connected' || (now === 'connecting' && !room);
  $('retry').hidden = now === 'connecting';
  $('banner-text').textContent = `${why || (room ? 'The connection was lost.' : 'The server can’t be reached.')} ${
    now === 'waiting' ? `Trying again in ${seconds} s.` : now === 'connecting' ? 'Trying again…' : ''}`;
  if (now !== 'connected') enable(false);
}

$('retry').addEventListener('click', () => socket.retry());

// ---- what is typed

// enable lets messages be sent. What is being typed stays, and so does the focus.
function enable(on) {
  $('text').disabled = $('text').disabled && !on;
  $('send').disabled = !on || !$('text').value.trim();
  $('say').dataset.ready = on;
}

function typed() {
  const box = $('text');
  box.style.setProperty('height', 'auto');
  box.style.setProperty('height', `${box.scrollHeight + 2}px`);
  const left = box.maxLength - box.value.length;
  $('left').textContent = left <= 100 ? `${left} left` : '';
  $('send').disabled = $('say').dataset.ready !== 'true' || !box.value.trim();
}

let noticeTimer = 0;
function notice(text) {
  $('notice').textContent = text;
  clearTimeout(noticeTimer);
  if (text) noticeTimer = setTimeout(notice, 5000, '');
}

$('text').addEventListener('input', typed);
$('text').addEventListener('keydown', (e) => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    $('say').requestSubmit();
  }
});
$('say').addEventListener('submit', (e) => {
  e.preventDefault();
  const text = $('text').value;
  if (!text.trim() || $('say').dataset.ready !== 'true') return;
  if (!socket.send({ t: 'say', text })) return;
  unsent = text;
  $('text').value = '';
  notice('');
  typed();
});

$('new-room').addEventListener('submit', (e) => {
  e.preventDefault();
  const to = $('new-room-name').value.trim().replace(/^#/, '').replace(/\s+/g, '-');
  if (!to) return;
  $('new-room-name').value = '';
  location.hash = encodeURIComponent(to);
});

// ---- drawers, where the window is narrow

function drawers(open) {
  for (const button of document.querySelectorAll('[data-open]')) {
    const is = button.dataset.open === open;
    const panel = $(button.dataset.open);
    if (!is && panel.classList.contains('open') && panel.contains(document.activeElement)) button.focus();
    panel.classList.toggle('open', is);
    button.setAttribute('aria-expanded', is);
    if (is) panel.querySelector('[data-close]').focus();
  }
}
for (const b of document.querySelectorAll('[data-open]')) b.addEventListener('click', () => drawers(b.dataset.open));
for (const b of [$('shade'), ...document.querySelectorAll('[data-close]')]) b.addEventListener('click', () => drawers());
addEventListener('keydown', (e) => { if (e.key === 'Escape') drawers(); });

// ---- the door

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const suggestion = () => `${pick(['Quiet', 'Swift', 'Amber', 'Silver', 'Mossy', 'Gentle', 'Brave', 'Misty'])} ${
  pick(['Otter', 'Heron', 'Kingfisher', 'Trout', 'Beaver', 'Dipper', 'Salmon', 'Newt'])}`;

function door(problem = '') {
  drawers();
  $('enter-problem').textContent = problem;
  $('name').value = wanted || localStorage.getItem('name') || suggestion();
  $('first-room').value = target();
  if (!$('enter').open) $('enter').showModal();
  $('name').select();
}

$('enter').addEventListener('submit', () => {
  wanted = $('name').value.trim();
  sessionStorage.setItem('name', wanted);
  localStorage.setItem('name', wanted);
  const to = $('first-room').value.trim().replace(/^#/, '');
  history.replaceState(null, '', `#${encodeURIComponent(to)}`);
  if (socket) join();
  else begin();
});
$('enter').addEventListener('cancel', (e) => { if (!room) e.preventDefault(); });
$('me').addEventListener('click', () => door());

function begin() {
  const url = new URL('ws', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.hash = '';
  socket = connect(url, {
    state,
    open() {
      join();
      socket.send({ t: 'watch' });
    },
    message: (m) => heard[m.t]?.(m),
  });
}

$('room').textContent = target();
if (wanted) {
  begin();
} else {
  state('idle');
  door();
}
