// The stream of samples, for as long as the page is open.

const patience = 5000; // without an event, ms: there should be one each second
const pause = 1000; // before the next attempt, ms

// follow calls onHistory with the samples of before, onSample with each new one,
// and onState with "live" or "lost".
//
// The browser's own reconnecting gives up where the answer is an error, and waits
// for ever on a connection that has died silently. So every attempt is a new one.
export function follow(url, { onHistory, onSample, onState }) {
  let source;
  let timer;

  function expect() {
    clearTimeout(timer);
    timer = setTimeout(lost, patience);
  }

  function lost() {
    source.close();
    clearTimeout(timer);
    onState('lost');
    timer = setTimeout(open, pause);
  }

  function open() {
    source = new EventSource(url);
    source.onerror = lost;
    source.addEventListener('history', (e) => {
      expect();
      onHistory(JSON.parse(e.data));
      onState('live');
    });
    source.onmessage = (e) => {
      expect();
      onSample(JSON.parse(e.data));
    };
    expect();
  }

  open();
}
