import { expect, test } from 'vitest';
import { flameGraph } from '../../bench/report/flame-graph.ts';

test('width is time, and what was called stands within what called it', () => {
  const call = (name: string, percent: number, ...calls: ReturnType<typeof leaf>[]) => ({ name, percent, calls });
  const leaf = (name: string, percent: number) => ({ name, percent, calls: [] });
  const svg = flameGraph('push', call('(root)', 100, leaf('a<b', 75), leaf('writev', 25)));
  expect(svg).toContain('<title>a&lt;b, 75.0 %</title><rect x="0" y="51" width="900"');
  expect(svg).toContain('<title>writev, 25.0 %</title><rect x="900" y="51" width="300" height="16" fill="#c0504d"');
});
