import { expect, test } from 'vitest';
import { NO_FAULTS } from '../../bench/load/lane.ts';
import { barChart } from '../../bench/report/bar-chart.ts';
import { tablesOf } from '../../bench/report/tables.ts';
import { DISTURBED_PERCENT, type Sample, summarise, WAITED } from '../../bench/samples.ts';
import { quantileOf, spreadOf } from '../../bench/statistics.ts';

const CPU = 'CPU µs/message';

function sample(subject: string, cpu: number, more: Partial<Sample> = {}): Sample {
  return { part: 'push-5000', subject, round: 1, load: 0, figures: { [CPU]: cpu }, faults: NO_FAULTS, ...more };
}

const summaryOf = (samples: readonly Sample[], subject: string) => summarise(samples).get('push-5000')?.get(subject);

test('rounds come to a median and their spread', () => {
  const samples = [7, 1, 4].map((cpu) => sample('nginx', cpu));
  expect(summaryOf(samples, 'nginx')?.figures[CPU]).toEqual({ median: 4, min: 1, max: 7 });
});

test.each([
  [{ faults: { ...NO_FAULTS, lost: 1 } }, '1 lost, 0 twice, 0 swapped, 0 never sent'],
  [{ faults: { ...NO_FAULTS, duplicated: 1 } }, '0 lost, 1 twice, 0 swapped, 0 never sent'],
  [{ faults: { ...NO_FAULTS, reordered: 1 } }, '0 lost, 0 twice, 1 swapped, 0 never sent'],
  [{ failed: 'it has ended' }, 'it has ended'],
])('one wrong round refuses all of them: %o', (more, trouble) => {
  const samples = [sample('fast', 1), sample('fast', 1, more), sample('haproxy', 4)];
  const summary = summaryOf(samples, 'fast');
  expect(summary?.refused).toBe(trouble);
  expect(summary?.figures).toEqual({});
  expect(tablesOf(summarise(samples))).toContain('REFUSED');
});

test('samples whose core was taken count only when there are no others', () => {
  const calm = sample('nginx', 10, { figures: { [CPU]: 10, [WAITED]: DISTURBED_PERCENT } });
  const disturbed = sample('nginx', 2, { figures: { [CPU]: 2, [WAITED]: DISTURBED_PERCENT + 1 } });
  expect(summaryOf([calm, disturbed], 'nginx')).toMatchObject({ counted: 1, leftOut: 1, notes: [] });
  expect(summaryOf([calm, disturbed], 'nginx')?.figures[CPU]?.median).toBe(10);
  expect(summaryOf([disturbed], 'nginx')).toMatchObject({ counted: 1, leftOut: 0 });
  expect(summaryOf([disturbed], 'nginx')?.figures[CPU]?.median).toBe(2);
  expect(summaryOf([disturbed], 'nginx')?.notes).toEqual([
    `something else had its core for more than ${DISTURBED_PERCENT} % of the time`,
  ]);
});

test('the table has ratios to HAProxy', () => {
  const text = tablesOf(summarise([sample('haproxy', 20), sample('holdfast', 25)]));
  expect(text).toMatch(/push 5,000\/s, CPU µs a message\s+20\.0\s+25\.0/);
  expect(text).toMatch(/push 5,000\/s, CPU µs a message\s+1\.00\s+1\.25/);
});

test('quantiles lie between values', () => {
  expect(quantileOf([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantileOf([1, 2, 3], 1)).toBe(3);
  expect(spreadOf([2]).median).toBe(2);
});

test('a chart has a bar as long as its median, and names that cannot break it', () => {
  const svg = barChart('a < b', [
    { label: 'one', spread: { median: 10, min: 5, max: 20 }, isOurs: false },
    { label: 'two', spread: { median: 20, min: 20, max: 20 }, isOurs: true },
  ]);
  expect(svg).toContain('a &lt; b');
  const [one, two] = Array.from(svg.matchAll(/<rect x="110"[^>]*width="(\d+)"/g), ([, width]) => Number(width));
  expect(two).toBe(2 * (one ?? 0));
});
