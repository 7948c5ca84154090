import { closeSync, openSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openFiles } from '../proxy/open-files.ts';

test.each([
  ['/proc/self/fd', 'the size tells, or its entries'],
  ['/proc/self/fdinfo', 'no size, so its entries are read'],
])('what %s tells grows by each file: %s', async (directory) => {
  const before = (await openFiles(directory)) ?? 0;
  // Without the one by which it is read.
  expect(before).toBe(readdirSync('/proc/self/fd').length - 1);
  const files = Array.from({ length: 3 }, () => openSync('/dev/null', 'r'));
  expect(await openFiles(directory)).toBe(before + 3);
  for (const file of files) closeSync(file);
});

test('nothing is told where the system does not tell', async () => {
  expect(await openFiles('/proc/self/no-such-thing')).toBeUndefined();
});
