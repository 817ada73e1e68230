// Where the lines of the grid stand.

const decimal = [1, 2, 5];
const binary = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

// linear returns the top of an axis that holds max, and the ticks on it, three or
// four. Bytes are told in units of 1024, so their steps are round in these.
export function linear(max, least, unit) {
  const rough = Math.max(max, least) / 3;
  let step;
  if (unit === 'bytes') {
    const base = 1024 ** Math.max(0, Math.floor(Math.log(rough) / Math.log(1024)));
    step = base * (binary.find((m) => m * base >= rough) ?? 1024);
  } else {
    const base = 10 ** Math.floor(Math.log10(rough) + 1e-9);
    step = base * (decimal.find((m) => m * base >= rough * 0.999) ?? 10);
  }
  const ticks = [];
  for (let v = step; v <= step * 3.001; v += step) ticks.push(v);
  const top = Math.max(max, least);
  while (ticks.length > 1 && ticks.at(-2) >= top) ticks.pop();
  return { ticks, top: Math.max(ticks.at(-1), top) * 1.04, y: (v) => v };
}

// logarithmic is for times: a microsecond and a tenth of a second on one axis.
export function logarithmic(min, max) {
  let low = Math.floor(Math.log10(min) + 1e-9);
  let high = Math.ceil(Math.log10(max) - 1e-9);
  while (high - low < 2) high - low < 1 ? high++ : low--;
  const every = Math.ceil((high - low) / 4);
  const ticks = [];
  for (let e = low + 1; e <= high; e++) if ((high - e) % every === 0) ticks.push(10 ** e);
  return { ticks, bottom: low, top: high + (high - low) * 0.04, y: (v) => Math.log10(v) };
}
