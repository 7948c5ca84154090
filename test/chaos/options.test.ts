import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

it('has defaults', () => {
  expect(readOptions([])).toMatchObject({ durationMs: 300_000, seed: 1, clients: 2000, rate: 1000, pods: 4 });
});

it('takes flags, and says what is wrong with them', () => {
  expect(readOptions(['--minutes', '0.5', '--log', 'x'])).toMatchObject({ durationMs: 30_000, logFile: 'x' });
  expect(readOptions(['--help'])).toBeUndefined();
  for (const wrong of [['--minutes', 'x'], ['--clients', '1.5'], ['--rate', '0'], ['--pods', '2'], ['--nothing']])
    expect(() => readOptions(wrong)).toThrow(wrong[0]);
});
