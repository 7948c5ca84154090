/** What is kept keeps little else. */
import { expect, test } from 'vitest';
import { compact, KEPT_FACTOR_MAX } from '../../proxy/relay/compact.ts';
import type { LinkSocket } from '../../proxy/relay/ports.ts';
import { type LinkHearer, Upstream } from '../../proxy/relay/upstream.ts';
import { encode, type Frame } from '../../stomp/index.ts';

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

test('of a link, what does not pass is copied, and what passes is not', () => {
  const legOptions = { pingEveryMs: 1000, goneMs: 3000, tolerance: 2 };
  const link = new Upstream(
    1,
    {} as LinkHearer,
    () => ({}) as LinkSocket,
    { link: legOptions, podLimits: {} },
    undefined,
    0,
  );
  const read = new Uint8Array(64 * 1024);
  const message = encode('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a' }, 'hello');
  read.set(message);
  const keptBytes = () => {
    const [frame] = link.read(read.subarray(0, message.length)) as Frame[];
    return frame?.bytes.buffer.byteLength;
  };
  expect(keptBytes()).toBe(message.length);
  link.passes = true;
  expect(keptBytes()).toBe(read.length);
});
