import { expect, it } from 'vitest';
import { HELP, readOptions } from './options.ts';

it('has a default for everything, and takes flags', () => {
  expect(readOptions([])).toEqual({
    ...{ way: 'holdfast', rate: 1000, publishers: 1, subscribers: 2, durationMs: 12_000, moves: 3, ids: false },
  });
  expect(readOptions(['--way', 'plain', '--ids', '--rate', '10000'])).toMatchObject({
    ...{ way: 'plain', ids: true, rate: 10_000 },
  });
});

it('offers help', () => {
  expect(readOptions(['--help'])).toBeUndefined();
  expect(HELP).toContain('npm run topic');
});

it.each([
  [['--way', 'direct'], '--way direct'],
  [['--rate', '0'], '--rate must be a whole number from 1'],
  [['--moves', '1e2'], '--moves'],
  [['--subscribers', '1000001'], '--subscribers'],
  [['rolling'], 'rolling'],
])('refuses %j', (argv, words) => {
  expect(() => readOptions(argv)).toThrow(words);
});
