import { expect, test } from 'vitest';
import { HELP, readOptions } from '../../bench/options.ts';
import { partNames } from '../../bench/parts/index.ts';
import { proxies } from '../../bench/proxies/index.ts';

test('without flags everything is measured three times', () => {
  const names = proxies.map(({ name }) => name);
  expect(readOptions([])).toMatchObject({ parts: partNames, proxies: names, rounds: 3, name: 'latest', read: false });
});

test('--quick is one round of less', () => {
  const quick = readOptions(['--quick']);
  expect(quick?.rounds).toBe(1);
  expect(quick?.sizes.measureMs).toBeLessThan(readOptions([])?.sizes.measureMs ?? 0);
});

test('what is said goes before what is usual', () => {
  const options = readOptions([
    '--quick',
    '--rounds',
    '2',
    '--sessions',
    '77',
    '--idle',
    '78',
    '--only',
    'echo,ring',
    '--patience',
    '9',
  ]);
  expect(options).toMatchObject({
    rounds: 2,
    parts: ['echo', 'ring'],
    sizes: { sessions: 77, idle: 78 },
    patienceMs: 9_000,
  });
});

test('--help names every part and proxy', () => {
  expect(readOptions(['--help'])).toBeUndefined();
  for (const { name } of proxies) expect(HELP).toContain(`  ${name} `);
  for (const name of partNames) expect(HELP).toContain(`  ${name} `);
});

test.each([
  [['--only', 'ecco'], /--only ecco is unknown; take some of push-5000/],
  [['--proxies', 'apache'], /--proxies apache is unknown; take some of direct, haproxy/],
  [['--rounds', '0'], /--rounds must be a whole number from 1 to 100, not 0/],
  [['--rounds', '101'], /--rounds must be a whole number from 1 to 100, not 101/],
  [['--sessions', '9001'], /--sessions must be a whole number from 1 to 9000, not 9001/],
  [['--name', '../x'], /--name must be of letters/],
])('%o is told what is wrong', (argv, message) => {
  expect(() => readOptions(argv)).toThrow(message);
});
