/** What is kept keeps little else. */
import { expect, test } from 'vitest';
import { compact, KEPT_FACTOR_MAX } from '../../proxy/relay/compact.ts';

const LENGTH = 100;
const viewIn = (bytes: number) => new Uint8Array(bytes).fill(7, 0, LENGTH).subarray(0, LENGTH);

test.each([
  [KEPT_FACTOR_MAX * LENGTH - 1, false],
  [KEPT_FACTOR_MAX * LENGTH, false],
  [KEPT_FACTOR_MAX * LENGTH + 1, true],
])('a view of 100 octets in %i is copied: %s', (bytes, isCopied) => {
  const view = viewIn(bytes);
  const kept = compact(view);
  expect([...kept]).toEqual([...view]);
  expect(kept === view).toBe(!isCopied);
  expect(kept.buffer.byteLength).toBe(isCopied ? LENGTH : bytes);
});

test('a slice of a pool is copied, although a Buffer’s own slice would be a view', () => {
  const pooled = Buffer.from('some hundred octets');
  expect(compact(pooled).buffer.byteLength).toBe(pooled.length);
});
