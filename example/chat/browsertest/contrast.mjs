// Contrast of text by the formula of WCAG 2.2, section 1.4.3: 4.5 at least.

// contrasts runs in the page and returns the text that stands out too little from
// what is behind it. What can't be used is left out, as the section does.
export function contrasts() {
  const parse = (color) => (/^rgba?\((.*)\)$/.exec(color)?.[1] ?? '0,0,0,0').split(/[ ,/]+/).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if ((color[3] ?? 1) === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.body.querySelectorAll('*')) {
    const text = [...e.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data.trim()).join('');
    if (!text || !e.checkVisibility({ visibilityProperty: true }) || e.closest(':disabled, noscript')) continue;
    const [low, high] = [luminance(parse(getComputedStyle(e).color)), luminance(behind(e))].sort((x, y) => x - y);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${text.slice(0, 20)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}
