// Contrast of colours by the formula of WCAG 2.2: 4.5 for text (1.4.3), 3 for the
// lines of charts (1.4.11).

// contrasts runs in the page and returns the pairs that are too close. It is the
// style sheet's variables that are compared, as the current colour scheme has them.
export function contrasts() {
  const style = getComputedStyle(document.documentElement);
  const channel = (hex) => {
    const c = parseInt(hex, 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const luminance = (name) => {
    const [, r, g, b] = /^#(..)(..)(..)$/.exec(style.getPropertyValue(name).trim());
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const ratio = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const pairs = [
    ['--text', '--card', 4.5], ['--text', '--page', 4.5], ['--text', '--hover', 4.5],
    ['--soft', '--card', 4.5], ['--soft', '--page', 4.5], ['--soft', '--hover', 4.5],
    ['--accent', '--card', 4.5], ['--accent', '--hover', 4.5],
    ['--good', '--good-back', 4.5], ['--warn', '--warn-back', 4.5], ['--bad', '--bad-back', 4.5],
    ...[0, 1, 2, 3, 4, 5].map((i) => [`--c${i}`, '--card', 3]),
  ];
  return pairs.filter(([a, b, least]) => !(ratio(a, b) >= least)).map(([a, b]) => `${a} on ${b}: ${ratio(a, b).toFixed(2)}`);
}
