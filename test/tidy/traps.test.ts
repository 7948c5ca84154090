/** docs/backends/traps.md names tests: each of them must exist, or a trap is open again and nobody knows. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/backends/traps.md`, 'utf8');

/** Each trap with the tests that its row names: a file, and a title or nothing for the whole file. */
const traps = page
  .split('\n')
  .filter((line) => /^\| \d+\. /.test(line))
  .map((line) => {
    const named = line.matchAll(/`(test\/[^`]+)`: ?([^·|]*)/g);
    return {
      trap: line.slice(2, 60),
      tests: Array.from(named, ([, file = '', title = '']) => [file, title.trim()] as const),
    };
  });

test('there are fifteen', () => {
  expect(traps.length).toBe(15);
});

test.each(traps)('$trap…', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const [file, title] of tests)
    expect(readFileSync(`${root}${file}`, 'utf8'), `${file} has no such test`).toContain(title);
});
