/** Bars with their spread, as SVG. */
import type { Spread } from '../statistics.ts';
import { escaped, headOf } from './svg.ts';
import { number } from './tables.ts';

export interface Bar {
  readonly label: string;
  readonly spread: Spread;
  readonly isOurs: boolean;
}

const WIDTH = 640;
const LABELS = 110;
const FIGURES = 130;
const HEAD = 34;
const ROW = 26;
const BAR = 16;

/** One bar a line; the line across its end is from the least to the most of all rounds. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ spread }) => spread.max));
  const scale = (value: number) => Math.round(((WIDTH - LABELS - FIGURES) * Math.max(0, value)) / most);
  const height = HEAD + ROW * bars.length + 8;
  return [
    ...headOf(title, WIDTH, height, 13),
    ...bars.map((bar, index) => barAt(bar, HEAD + ROW * index, scale)),
    '</svg>\n',
  ].join('\n');
}

function barAt({ label, spread, isOurs }: Bar, y: number, scale: (value: number) => number): string {
  const { median, min, max } = spread;
  const middle = y + BAR / 2;
  return [
    `<text x="${LABELS - 8}" y="${middle + 5}" text-anchor="end">${escaped(label)}</text>`,
    `<rect x="${LABELS}" y="${y}" width="${scale(median)}" height="${BAR}" fill="${isOurs ? '#2a7f62' : '#9db4c0'}"/>`,
    `<path d="M${LABELS + scale(min)} ${middle}H${LABELS + scale(max)}" stroke="#222" stroke-width="2"/>`,
    `<text x="${LABELS + scale(max) + 8}" y="${middle + 5}">${number(median)}</text>`,
  ].join('');
}
