/** What is kept of a client does not keep the chunk that it came in. */
import { expect, test } from 'vitest';
import { detached } from '../../proxy/relay/client-frames.ts';
import { Decoder, encode, type Frame } from '../../stomp/index.ts';

test.each([
  ['Buffer, as sockets give them', (octets: Uint8Array) => Buffer.from(octets)],
  ['Uint8Array', (octets: Uint8Array) => octets],
])('a detached frame of a %s has memory of its own, and no more than it needs', (_what, made) => {
  const subscribe = encode('SUBSCRIBE', { id: '1', destination: '/a' });
  const chunk = new Uint8Array(64 * 1024).fill(10);
  chunk.set(subscribe, 100);
  const [, frame] = new Decoder({ peer: 'client' }).push(made(chunk)) as [unknown, Frame];
  expect(frame.bytes.buffer.byteLength).toBe(chunk.length);
  const kept = detached(frame);
  expect(kept.bytes.buffer.byteLength).toBe(subscribe.length);
  expect([kept.command, kept.header('destination'), [...kept.bytes]]).toEqual(['SUBSCRIBE', '/a', [...subscribe]]);
});
