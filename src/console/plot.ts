// Small SVG plots of the last minutes: one or two lines over time, with the latest value.

import type { MetricsPoint } from '../operator/events/readings.ts';
import { byId, fill, h, s, setAttributes, setText } from './dom.ts';
import type { Model } from './model.ts';
import { mostPoints } from './model.ts';
import { bytesText, shortNumber } from './numbers.ts';

interface PlotSpec {
  readonly title: string;
  readonly text: (value: number) => string;
  readonly unit: string;
  /** Number of lines; the first has its area filled. */
  readonly lines: number;
  /** One value per line; null: nothing was measured in this second. */
  readonly valuesOf: (point: MetricsPoint, before: MetricsPoint) => readonly (number | null)[];
}

const [width, height] = [300, 72];

/** Older values are not shown as the latest. */
const freshSeconds = 30;

const plots: readonly PlotSpec[] = [
  {
    title: 'Requests',
    text: shortNumber,
    unit: ' /s',
    lines: 1,
    valuesOf: (point, before) => [rate(point, before, 'requests')],
  },
  {
    title: 'Sent',
    text: bytesText,
    unit: '/s',
    lines: 1,
    valuesOf: (point, before) => [rate(point, before, 'bytesSent')],
  },
  {
    title: 'Operator latency, p50 / p99',
    text: shortNumber,
    unit: ' ms',
    lines: 2,
    valuesOf: ({ operatorLatencyMs }) => [operatorLatencyMs?.p50 ?? null, operatorLatencyMs?.p99 ?? null],
  },
];

/** A replaced server process can lower a sum: never show a negative rate. */
function rate(point: MetricsPoint, before: MetricsPoint, name: 'requests' | 'bytesSent'): number {
  const seconds = Math.max(0.1, (Date.parse(point.at) - Date.parse(before.at)) / 1000);
  return Math.max(0, point[name] - before[name]) / seconds;
}

export function plotsPanel(): (model: Model) => void {
  const drawings = plots.map(plotDrawing);
  fill(byId('plots'), ...drawings.map(({ element }) => element));
  let drawn: readonly MetricsPoint[] | null = null;
  return ({ metrics }) => {
    if (metrics === drawn) return;
    drawn = metrics;
    for (const { show } of drawings) show(metrics);
  };
}

function plotDrawing({ title, text, unit, lines: count, valuesOf }: PlotSpec) {
  const places = Array.from({ length: count }, (_, place) => place);
  const lines = places.map((place) => s('path', { class: `line line-${place}` }));
  const area = s('path', { class: 'area' });
  const drawing = s(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' },
    area,
    ...lines,
  );
  const [newest, highest] = [h('strong', {}), h('span', { class: 'highest' })];
  const element = h(
    'figure',
    { class: 'plot' },
    h('figcaption', {}, h('span', { class: 'what' }, title), newest, highest),
    drawing,
  );

  function show(metrics: readonly MetricsPoint[]): void {
    const points = metrics.slice(1).map((point, place) => valuesOf(point, metrics[place] as MetricsPoint));
    const series = places.map((line) => points.map((values) => values[line] ?? null));
    const most = Math.max(0, ...points.flat().map((value) => value ?? 0));
    series.forEach((values, line) => {
      lines[line]?.setAttribute('d', pathOf(values, most));
    });
    area.setAttribute('d', areaOf(series[0] ?? [], most));
    const newestOf = places.map((line) => series[line]?.slice(-freshSeconds).findLast((value) => value !== null));
    const words = newestOf.map((value) => (typeof value === 'number' ? text(value) : '–')).join(' / ') + unit;
    const mostWords = most > 0 ? `peak ${text(most)}${unit}` : '';
    setText(newest, words);
    setText(highest, mostWords);
    setAttributes(drawing, { 'aria-label': `${title}: now ${words}, in the last minutes ${mostWords || 'nothing'}` });
  }

  show([]);
  return { element, show };
}

/** The latest second is at the right edge; five minutes fill the width. */
const xOf = (place: number, count: number): number => width - ((count - 1 - place) / (mostPoints - 2)) * width;
const yOf = (value: number, most: number): number => height - 2 - (most > 0 ? value / most : 0) * (height - 8);
const pointText = (x: number, y: number): string => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** The line bridges seconds without a value. */
function pathOf(values: readonly (number | null)[], most: number): string {
  const points = values.flatMap((value, place) =>
    value === null ? [] : [pointText(xOf(place, values.length), yOf(value, most))],
  );
  return points.length > 0 ? `M${points.join('L')}` : '';
}

function areaOf(values: readonly (number | null)[], most: number): string {
  const line = pathOf(values, most);
  if (line === '') return '';
  const [first, last] = [values.findIndex((value) => value !== null), values.findLastIndex((value) => value !== null)];
  const bottom = (place: number): string => pointText(xOf(place, values.length), height);
  return `${line}L${bottom(last)}L${bottom(first)}Z`;
}
