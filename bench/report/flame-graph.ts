/** A call tree as SVG: width is CPU time, what stands on something was called by it. */
import type { Call } from '../parts/call-tree.ts';
import { ownerOf } from '../parts/cpu-profile.ts';
import { escaped, headOf } from './svg.ts';

const WIDTH = 1200;
const HEAD = 34;
const ROW = 17;
/** Of a letter, on average. */
const LETTER = 6;

const COLOURS: Readonly<Record<string, string>> = {
  'writes to sockets': '#c0504d',
  'garbage collector': '#8d6e63',
  Node: '#e0a458',
  ws: '#9c89b8',
  'websocket/': '#5b8fb9',
  'stomp/': '#4f9d8f',
  'proxy/session': '#2a7f62',
  'rest of proxy/': '#7fb069',
};
const OTHER = '#b8b8b8';

/** The root is at the top, as in a stack that grows downwards. */
export function flameGraph(title: string, root: Call): string {
  const height = HEAD + ROW * (depthOf(root) + 1) + 24;
  const legend = Object.entries({ ...COLOURS, 'all else, native': OTHER }).map(([owner, colour], index) => {
    const x = 8 + index * 132;
    const y = height - 16;
    return `<rect x="${x}" y="${y}" width="10" height="10" fill="${colour}"/><text x="${x + 14}" y="${y + 9}">${owner}</text>`;
  });
  return [...headOf(title, WIDTH, height, 11), ...boxes(root, 0, 0), ...legend, '</svg>\n'].join('\n');
}

function boxes(call: Call, fromPercent: number, depth: number): string[] {
  let at = fromPercent;
  const inner = call.calls.flatMap((each) => {
    const from = at;
    at += each.percent;
    return boxes(each, from, depth + 1);
  });
  return [box(call, fromPercent, depth), ...inner];
}

function box({ name, percent }: Call, fromPercent: number, depth: number): string {
  const x = round((fromPercent * WIDTH) / 100);
  const width = round((percent * WIDTH) / 100);
  const y = HEAD + ROW * depth;
  const letters = Math.floor((width - 4) / LETTER);
  const text = letters < 3 ? '' : `<text x="${x + 3}" y="${y + 12}">${escaped(name.slice(0, letters))}</text>`;
  const colour = COLOURS[ownerOf(name)] ?? OTHER;
  const hint = `<title>${escaped(name)}, ${percent.toFixed(1)} %</title>`;
  return `<g>${hint}<rect x="${x}" y="${y}" width="${width}" height="${ROW - 1}" fill="${colour}"/>${text}</g>`;
}

function depthOf({ calls }: Call): number {
  return 1 + Math.max(-1, ...calls.map(depthOf));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
