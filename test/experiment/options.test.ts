import { expect, it } from 'vitest';
import { backends } from './backends/index.ts';
import { HELP, readOptions } from './options.ts';
import { scenarios } from './scenarios.ts';

it('runs everything, both ways, when nothing is said', () => {
  expect(readOptions([])).toMatchObject({
    scenarios: Object.keys(scenarios),
    modes: ['holdfast', 'direct'],
    ...{ seed: 1, runs: 1, clients: 100, messages: 100, pods: 3, durationMs: 20_000 },
  });
});

it('takes scenarios and flags', () => {
  const argv = [
    'kill',
    'rest',
    '--ids',
    '--seed',
    '0',
    '--runs',
    '2',
    '--way',
    'direct',
    '--drain-max',
    '1s',
    '--seconds',
    '5',
  ];
  expect(readOptions(argv)).toMatchObject({
    ...{ scenarios: ['kill', 'rest'], modes: ['direct'], seed: 0, runs: 2, durationMs: 5_000, ids: true },
    proxyFlags: ['--log-level', 'info', '--handover-drain-max', '1s'],
  });
});

it('takes a backend', () => {
  expect(readOptions([])).toMatchObject({ backend: 'embedded' });
  for (const name of Object.keys(backends)) expect(readOptions(['--backend', name])).toMatchObject({ backend: name });
});

it('offers help that names every scenario and backend', () => {
  expect(readOptions(['--help'])).toBeUndefined();
  for (const name of Object.keys(scenarios)) expect(HELP).toContain(`  ${name} `);
  for (const name of Object.keys(backends)) expect(HELP).toContain(`  ${name} `);
});

it.each([
  [['rolling', 'rollin'], 'rollin'],
  [['--backend', 'artemis'], 'no backend artemis; take embedded, '],
  [['--way', 'up'], '--way up'],
  [['--runs', '0'], '--runs must be a whole number from 1'],
  [['--clients', '1e3'], '--clients'],
  [['--messages', '-1'], '--messages'],
  [['--seconds', '1.5'], '--seconds'],
  [['--pods', '1000001'], '--pods'],
  [['--log-level', 'warn'], '--log-level warn'],
  [['--nonsense'], 'nonsense'],
])('refuses %j', (argv, words) => {
  expect(() => readOptions(argv)).toThrow(words);
});
