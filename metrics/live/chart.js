// A line chart over the last minutes, drawn with SVG so that the style sheet
// colours it.

import { linear, logarithmic } from './scale.js';
import { ago } from './format.js';

const height = 150;
const bottom = 20; // for the labels of the time axis
const space = 'http://www.w3.org/2000/svg';

function node(name, attributes = {}, parent = null) {
  const n = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) n.setAttribute(key, value);
  parent?.append(n);
  return n;
}

function element(name, className, parent) {
  const e = document.createElement(name);
  if (className) e.className = className;
  parent?.append(e);
  return e;
}

export class Chart {
  // options: title, note, format, unit ('bytes', 'log' or none), least (the lowest
  // top of the axis). onCursor is told the time that is pointed at, or null.
  constructor(parent, options, onCursor) {
    this.options = options;
    this.onCursor = onCursor;
    const id = `chart-${options.id}`;
    const figure = element('figure', 'card chart', parent);
    figure.id = id;
    const caption = element('figcaption', '', figure);
    const title = element('h2', '', caption);
    title.textContent = options.title;
    title.id = `${id}-title`;
    this.when = element('span', 'when', caption);
    this.legend = element('ul', 'legend', figure);
    this.svg = node('svg', { height, tabindex: 0, role: 'img', 'aria-labelledby': title.id }, figure);
    this.grid = node('g', { class: 'grid' }, this.svg);
    this.lines = node('g', { class: 'lines' }, this.svg);
    this.cursor = node('g', { class: 'cursor' }, this.svg);
    this.labels = node('g', { class: 'labels' }, this.svg);
    this.listen();
  }

  listen() {
    const at = (e) => this.start + ((e.clientX - this.svg.getBoundingClientRect().left) / this.width) * this.span;
    this.svg.addEventListener('pointermove', (e) => this.onCursor(at(e)));
    this.svg.addEventListener('pointerdown', (e) => this.onCursor(at(e)));
    this.svg.addEventListener('pointerleave', () => this.onCursor(null));
    this.svg.addEventListener('blur', () => this.onCursor(null));
    this.svg.addEventListener('keydown', (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[e.key];
      if (step) this.onCursor((this.pointed ?? this.start + this.span) + step * 1000);
      else if (e.key === 'Escape') this.onCursor(null);
      else return;
      e.preventDefault();
    });
  }

  // draw shows the series from start to start + span, in ms. Each is { label,
  // colour, area, faint, values }, with one value for each of times; NaN is a gap.
  // One with a format of its own is not drawn, and stands in the legend alone.
  // cut has true where a point does not belong to the one before it.
  draw({ start, span, times, cut, series, pointed }) {
    Object.assign(this, { start, span, pointed });
    this.width = this.svg.clientWidth;
    if (this.width === 0) return;
    const axis = this.axis(series);
    const floor = height - bottom;
    const low = axis.bottom ?? 0;
    const x = (t) => ((t - start) / span) * (this.width - 2);
    const y = (v) => floor - ((axis.y(v) - low) / (axis.top - low)) * (floor - 4);
    this.drawGrid(axis, x, y, floor);
    this.drawLines(series, times, cut, x, y, floor);
    this.drawCursor(series, times, x, y, floor);
    this.drawLegend(series, times);
  }

  axis(series) {
    let min = Infinity;
    let max = 0;
    for (const { values } of series.filter((s) => !s.format)) {
      for (const v of values) {
        if (v > max) max = v;
        if (v > 0 && v < min) min = v;
      }
    }
    const { unit, least } = this.options;
    if (unit === 'log') return logarithmic(Math.min(min, least), Math.max(max, least));
    return linear(max, least, unit);
  }

  drawGrid(axis, x, y, floor) {
    this.grid.replaceChildren();
    this.labels.replaceChildren();
    const { width } = this;
    node('line', { x1: 0, x2: width, y1: floor, y2: floor, class: 'base' }, this.grid);
    for (const v of axis.ticks) {
      const h = Math.round(y(v)) + 0.5;
      node('line', { x1: 0, x2: width, y1: h, y2: h }, this.grid);
      node('text', { x: 0, y: h + 12 }, this.labels).textContent = this.options.format(v);
    }
    const minutes = this.span > 60000;
    const every = minutes ? 60000 : 15000;
    for (let back = 0; back < this.span; back += every) {
      const at = x(this.start + this.span - back);
      const label = node('text', { x: at, y: height - 5, 'text-anchor': back === 0 ? 'end' : 'middle' }, this.labels);
      label.textContent = back === 0 ? 'now' : minutes ? `−${back / 60000} min` : `−${back / 1000} s`;
      if (back > 0) node('line', { x1: at, x2: at, y1: floor, y2: floor + 4 }, this.grid);
    }
  }

  drawLines(series, times, cut, x, y, floor) {
    this.lines.replaceChildren();
    for (const { values, colour, area, faint, format } of series) {
      if (format) continue;
      let line = '';
      let fill = '';
      let begin = null; // of the piece that is being drawn
      let end = null;
      const close = () => {
        if (begin !== null) fill += `L${end} ${floor}L${begin} ${floor}Z`;
        begin = null;
      };
      for (let i = 0; i < times.length; i++) {
        const v = values[i];
        if (cut[i] || Number.isNaN(v)) close();
        if (Number.isNaN(v)) continue;
        const point = `${x(times[i]).toFixed(1)} ${(this.options.unit === 'log' && v <= 0 ? floor : y(v)).toFixed(1)}`;
        // A line of no length is a dot with round caps: a point between two gaps.
        line += begin === null ? `M${point}h0` : `L${point}`;
        fill += begin === null ? `M${point}` : `L${point}`;
        end = x(times[i]).toFixed(1);
        begin ??= end;
      }
      close();
      if (area) node('path', { d: fill, class: `area ${colour}` }, this.lines);
      node('path', { d: line, class: `line ${colour}${faint ? ' faint' : ''}` }, this.lines);
    }
  }

  drawCursor(series, times, x, y, floor) {
    this.cursor.replaceChildren();
    this.at = times.length - 1;
    if (this.pointed === null || times.length === 0) return;
    this.at = nearest(times, this.pointed);
    const h = x(times[this.at]).toFixed(1);
    node('line', { x1: h, x2: h, y1: 0, y2: floor }, this.cursor);
    for (const { values, colour, faint, format } of series) {
      const v = values[this.at];
      if (faint || format || Number.isNaN(v) || (this.options.unit === 'log' && v <= 0)) continue;
      node('circle', { cx: h, cy: y(v).toFixed(1), r: 3.5, class: colour }, this.cursor);
    }
  }

  drawLegend(series, times) {
    const shown = series.filter((s) => !s.faint);
    while (this.legend.children.length > shown.length) this.legend.lastChild.remove();
    while (this.legend.children.length < shown.length) {
      const item = element('li', '', this.legend);
      element('span', 'swatch', item);
      element('span', 'label', item);
      element('output', '', item);
    }
    const said = [];
    shown.forEach((s, i) => {
      const [swatch, label, value] = this.legend.children[i].children;
      swatch.className = `swatch ${s.format ? 'none' : s.colour}`;
      label.textContent = s.label;
      value.textContent = (s.format ?? this.options.format)(s.values[this.at]);
      said.push(`${s.label} ${value.textContent}`);
    });
    this.when.textContent = this.pointed === null || times.length === 0 ? '' : ago(this.start + this.span - times[this.at]);
    this.svg.setAttribute('aria-label', `${this.options.title}: ${said.join(', ')}`);
    this.svg.removeAttribute('aria-labelledby');
  }
}

// nearest finds the index of the time that is closest to t; times ascend.
function nearest(times, t) {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (times[mid] < t) low = mid;
    else high = mid;
  }
  return t - times[low] < times[high] - t ? low : high;
}
