/** Pixels; the plot lies within the margins, which hold the axes' words. */
export const [WIDTH, HEIGHT] = [860, 420];
const MARGIN = { left: 84, right: 20, top: 58, bottom: 56 } as const;
export const COLOURS = {
  run: '#7a8ba0',
  control: '#d08700',
  best: '#0b6e4f',
  band: '#cfe8dc',
  bad: '#b3261e',
  axis: '#444',
} as const;

/** Data to pixels, along one axis. */
export type Scale = (value: number) => number;

export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
  /** Title, axes, ticks and their labels. */
  readonly furniture: string;
}

interface Axis {
  readonly label: string;
  /** Least and greatest value; equal ones are drawn apart. */
  readonly range: readonly [number, number];
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

export function frame(title: string, x: Axis, y: Axis): Frame {
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const [along, up] = [scale(x.range, MARGIN.left, right), scale(y.range, bottom, MARGIN.top)];
  return {
    x: along,
    y: up,
    furniture: [
      `<text x="${WIDTH / 2}" y="24" text-anchor="middle" font-size="16">${escaped(title)}</text>`,
      line('axis', [MARGIN.left, MARGIN.top], [MARGIN.left, bottom], COLOURS.axis),
      line('axis', [MARGIN.left, bottom], [right, bottom], COLOURS.axis),
      ...x.ticks.map(
        ({ at, text }) => `<text x="${px(along(at))}" y="${bottom + 18}" text-anchor="middle">${escaped(text)}</text>`,
      ),
      ...y.ticks.flatMap(({ at, text }) => [
        line('grid', [MARGIN.left, up(at)], [right, up(at)], '#e6e6e6'),
        `<text x="${MARGIN.left - 8}" y="${px(up(at) + 4)}" text-anchor="end">${escaped(text)}</text>`,
      ]),
      `<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 14}" text-anchor="middle">${escaped(x.label)}</text>`,
      `<text transform="translate(16 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y.label)}</text>`,
    ].join('\n'),
  };
}

/** What the colours mean, in a row below the title. */
export function legend(entries: readonly (readonly [colour: string, text: string])[]): string {
  let x: number = MARGIN.left;
  return entries
    .map(([colour, text]) => {
      const at = x;
      x += textWidth(text) + 36;
      return `<rect x="${at}" y="${MARGIN.top - 13}" width="12" height="8" fill="${colour}"/><text x="${at + 18}" y="${MARGIN.top - 5}" fill="${COLOURS.axis}">${escaped(text)}</text>`;
    })
    .join('\n');
}

/** Pixels, about: nothing here can measure a font. */
export const textWidth = (text: string): number => text.length * 6.8;

/** A word below the axis; what is longer than its room is cut, and shown whole by a browser when the pointer rests on it. */
export function below(x: number, row: number, text: string, room: number): string {
  const most = Math.max(3, Math.floor(room / textWidth('x')));
  const shown = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return `<text x="${px(x)}" y="${HEIGHT - MARGIN.bottom + 18 + row * 16}" text-anchor="middle">${escaped(shown)}<title>${escaped(text)}</title></text>`;
}

function scale([low, high]: readonly [number, number], from: number, to: number): Scale {
  const [least, span] = high > low ? [low, high - low] : [low - 0.5, 1];
  return (value) => from + ((value - least) / span) * (to - from);
}

/** About `count` round values within the range: 1, 2 or 5 times a power of ten apart. */
export function roundTicks([low, high]: readonly [number, number], count = 5): { at: number; text: string }[] {
  if (!(high > low)) return [{ at: low, text: String(Number(low.toPrecision(6))) }];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => {
    const at = (first + index) * step;
    return { at, text: at.toFixed(digits) };
  });
}

/** Least and greatest, with a twentieth of room at either end. */
export function spanOf(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(low) || 1) / 20;
  return [low - room, high + room];
}

export const line = (kind: string, [x1, y1]: Point, [x2, y2]: Point, colour: string): string =>
  `<line class="${kind}" x1="${px(x1)}" y1="${px(y1)}" x2="${px(x2)}" y2="${px(y2)}" stroke="${colour}"/>`;
type Point = readonly [number, number];

/** A line that keeps its height until the next point. */
export const steps = (kind: string, points: readonly Point[], colour: string): string =>
  path(
    kind,
    points.flatMap(([x, y], at) => {
      const before = points[at - 1];
      return before ? [[x, before[1]] as const, [x, y] as const] : [[x, y] as const];
    }),
    colour,
  );

/** `tip` is shown by a browser when the pointer rests on it. */
export const dot = (kind: string, [x, y]: Point, colour: string, tip: string): string =>
  `<circle class="${kind}" cx="${px(x)}" cy="${px(y)}" r="3.5" fill="${colour}"><title>${escaped(tip)}</title></circle>`;

export const path = (kind: string, points: readonly Point[], colour: string): string =>
  `<polyline class="${kind}" points="${points.map(([x, y]) => `${px(x)},${px(y)}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`;

export const svg = (...parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');

const px = (value: number): string => String(Number(value.toFixed(2)));

/** Descriptions are an agent's words, levels a script's: nothing of them may be markup, or a character that XML does not have. */
export const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
