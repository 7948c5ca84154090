import { expect, it } from 'vitest';
import { HELP, readOptions } from './options.ts';
import { NAMES } from './scenarios.ts';

it('runs everything when nothing is said', () => {
  const defaults = { seed: 1, runs: 1, clients: 500, rate: 1000, awayMs: undefined, logs: undefined };
  expect(readOptions([])).toEqual({ scenarios: NAMES, ...defaults });
});

it('takes scenarios and flags', () => {
  const argv = ['--scenario', 'scale', '--scenario', 'crash', '--runs', '20', '--seed', '0', '--away', '5'];
  expect(readOptions(argv)).toMatchObject({ scenarios: ['scale', 'crash'], runs: 20, seed: 0, awayMs: 5_000 });
});

it('offers help that names every scenario', () => {
  expect(readOptions(['--help'])).toBeUndefined();
  for (const name of NAMES) expect(HELP).toContain(`  ${name} `);
});

it.each([
  [['--scenario', 'rollin'], 'no scenario rollin; take rollout-surge-1, '],
  [['--runs', '0'], '--runs must be a whole number from 1'],
  [['--clients', '9001'], '--clients'],
  [['--rate', '1e3'], '--rate'],
  [['--away', '0'], '--away'],
  [['--nonsense'], 'nonsense'],
])('refuses %j', (argv, words) => {
  expect(() => readOptions(argv)).toThrow(words);
});
