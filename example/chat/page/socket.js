// The connection to the server. It comes again when it is lost, after a pause that
// doubles each time up to a limit, with some chance in it so that thousands of pages
// don't come at once.

const first = 500, longest = 15000; // ms
const silence = 10000; // ms without a sign of life; the server tells something each second

// connect keeps a connection, and tells on.state(state, seconds, why), on.open() and
// on.message(object). States are connecting, connected, waiting (for so many seconds)
// and closed (by the server, for good).
export function connect(url, on) {
  let socket = null, failures = 0, timer = 0, watchdog = 0, why = '';

  function open() {
    clearTimeout(timer);
    on.state('connecting', 0, why);
    const ws = socket = new WebSocket(url);
    heard(ws);
    ws.onopen = () => {
      on.open();
    };
    ws.onmessage = (e) => {
      heard(ws);
      on.message(JSON.parse(e.data));
    };
    ws.onclose = (e) => {
      if (ws === socket) lost(e.code, e.reason);
    };
  }

  // heard puts the end that silence brings off.
  function heard(ws) {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      if (ws !== socket) return;
      ws.onmessage = ws.onclose = null; // the closing handshake could take long
      ws.close();
      lost(0, '');
    }, silence);
  }

  function lost(code, reason) {
    clearTimeout(watchdog);
    socket = null;
    why = code === 1001 ? 'The server is stopping.' : code === 1013 ? 'This connection was too slow.' : '';
    if (code === 1008) {
      on.state('closed', 0, `The server has closed the connection: ${reason}.`);
      return;
    }
    const pause = Math.min(longest, first * 2 ** failures++) * (0.75 + Math.random() / 2);
    count(Date.now() + pause);
  }

  // count tells each second how long it takes, and then tries again.
  function count(until) {
    const left = until - Date.now();
    if (left <= 0) return open();
    on.state('waiting', Math.ceil(left / 1000), why);
    timer = setTimeout(count, Math.min(left, left % 1000 || 1000), until);
  }

  addEventListener('online', () => { if (!socket) open(); });
  open();

  return {
    send(message) {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    // settled is called when the server has accepted us: the next loss is a new one.
    settled() {
      failures = 0;
      why = '';
      on.state('connected', 0, '');
    },
    retry() {
      if (!socket) open();
    },
  };
}
