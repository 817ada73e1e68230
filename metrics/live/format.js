// Numbers as people read them: three digits that count, and a unit.

const thin = '\u202f'; // a narrow space that does not break

// scaled divides n by the base until it has three digits before the point at most,
// and keeps three in all.
function scaled(n, base, units) {
  let i = 0;
  let v = Math.abs(n);
  while (i < units.length - 1 && v >= 999.5) {
    v /= base;
    i++;
  }
  const digits = i === 0 && Number.isInteger(n) ? 0 : v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
  let text = v.toFixed(digits);
  if (digits > 0) text = text.replace(/\.?0+$/, '');
  return (n < 0 ? '−' : '') + text + (units[i] ? thin + units[i] : '');
}

const missing = (n) => n === undefined || n === null || Number.isNaN(n);

// count writes whole numbers in full up to a hundred thousand.
export function count(n) {
  if (missing(n)) return '–';
  if (Number.isInteger(n) && Math.abs(n) < 100000) {
    return String(n).replace(/\B(?=(\d{3})+$)/g, thin);
  }
  return scaled(n, 1000, ['', 'k', 'M', 'G', 'T']);
}

export function rate(n) {
  return missing(n) ? '–' : scaled(n >= 10 ? Math.round(n) : n, 1000, ['', 'k', 'M', 'G']) + '/s';
}

export function bytes(n) {
  return missing(n) ? '–' : scaled(Math.round(n), 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

export function byteRate(n) {
  return missing(n) ? '–' : bytes(n) + '/s';
}

export function seconds(s) {
  if (missing(s)) return '–';
  if (s === 0) return '0';
  return scaled(s * 1e9, 1000, ['ns', 'µs', 'ms', 's']);
}

export function share(x) {
  if (missing(x)) return '–';
  const p = x * 100;
  return (p > 0 && p < 9.95 ? p.toFixed(1) : p.toFixed(0)) + thin + '%';
}

// ago says how long before the newest sample something was.
export function ago(ms) {
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s}${thin}s ago`;
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}${thin}min ago`;
}
