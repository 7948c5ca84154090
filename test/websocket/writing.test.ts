import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptOf, closeFrame, frame, frameLength, isKey, newKey, OPCODE, writeFrame } from '../../websocket/index.ts';
import { applyMask } from '../../websocket/mask.ts';
import { read } from './reading.ts';

const hex = (octets: Uint8Array) => Buffer.from(octets).toString('hex');
const utf8 = (text: string) => new TextEncoder().encode(text);

test('frames are those of the examples in §5.7', () => {
  expect(hex(frame(OPCODE.text, utf8('Hello'), false))).toBe('810548656c6c6f');
  expect(hex(frame(OPCODE.binary, new Uint8Array(256), false)).slice(0, 8)).toBe('827e0100');
  expect(hex(frame(OPCODE.binary, new Uint8Array(65_536), false)).slice(0, 20)).toBe('827f0000000000010000');
});

test.each(
  [0, 1, 125, 126, 127, 65_535, 65_536, 100_000].flatMap((length) =>
    [true, false].map((isMasked) => [length, isMasked] as const),
  ),
)('%d octets, masked %s: the reader reads what was written, and the length was known before', (length, isMasked) => {
  const payload = Uint8Array.from({ length }, (_, i) => i % 251);
  const octets = frame(OPCODE.binary, payload, isMasked);
  expect(octets).toHaveLength(frameLength(length, isMasked));
  const options = {
    peer: isMasked ? ('client' as const) : ('server' as const),
    maxMessageBytes: length,
    maxParts: 1,
    checksText: true,
  };
  expect(read([octets], options)).toEqual({
    messages: [{ bytes: Buffer.from(payload), binary: true }],
    pings: [],
    pongs: 0,
    end: undefined,
  });
});

test('frames stand one behind the other', () => {
  const target = new Uint8Array(20).fill(0xee);
  const next = writeFrame(target, 1, OPCODE.text, utf8('a'), false);
  expect(writeFrame(target, next, OPCODE.text, utf8('bc'), false)).toBe(8);
  expect(hex(target.subarray(0, 9))).toBe('ee810161' + '81026263' + 'ee');
});

test('no two masks are the same', () => {
  const masks = Array.from({ length: 5_000 }, () => hex(frame(OPCODE.ping, new Uint8Array(), true).subarray(2)));
  expect(new Set(masks).size).toBeGreaterThan(4_990);
});

describe('a close frame', () => {
  const options = { peer: 'server' as const, maxMessageBytes: 0, maxParts: 1, checksText: true };
  const end = (code: number | undefined, reason: string) => read([closeFrame(code, reason, false)], options).end;

  test('has code and reason', () => expect(end(4000, 'for ü')).toEqual({ code: 4000, reason: 'for ü' }));
  test('without a code is empty', () => expect(end(undefined, 'unsaid')).toEqual({ code: 1005, reason: '' }));
  test.each([
    [123, 123],
    [124, 123],
  ])('a reason of %d octets has %d', (length, said) =>
    expect(end(1000, 'x'.repeat(length))?.reason).toHaveLength(said),
  );
  test('a reason is not cut within a character', () =>
    expect(end(1000, `${'x'.repeat(122)}ü`)?.reason).toBe('x'.repeat(122)));
});

test('a mask, octet by octet and word by word, at every alignment: the same', () => {
  const cases = fc.record({
    length: fc.integer({ min: 0, max: 200 }),
    mask: fc.integer({ min: 0, max: 0xffff_ffff }),
    from: fc.integer({ min: 0, max: 7 }),
    to: fc.integer({ min: 0, max: 7 }),
    inPlace: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ length, mask, from, to, inPlace }) => {
      const source = Uint8Array.from({ length: length + from }, (_, i) => (i * 37) % 256).subarray(from);
      const octets = [mask >>> 24, (mask >>> 16) & 255, (mask >>> 8) & 255, mask & 255];
      const wanted = source.map((octet, i) => octet ^ (octets[i % 4] ?? 0));
      const target = inPlace ? source : new Uint8Array(length + to);
      const at = inPlace ? 0 : to;
      applyMask(source, 0, length, mask, target, at);
      expect(target.subarray(at, at + length)).toEqual(wanted);
    }),
    { numRuns: 2_000 },
  );
});

describe('the handshake', () => {
  test('answers the key of §1.3', () =>
    expect(acceptOf('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='));
  test('makes keys that are keys, each anew', () => {
    expect(isKey(newKey())).toBe(true);
    expect(newKey()).not.toBe(newKey());
  });
  test.each([undefined, '', 'dGhlIHNhbXBsZSBub25jZQ=', 'dGhlIHNhbXBsZSBub25jZQ==x', 'dGhl HNhbXBsZSBub25jZQ=='])(
    '%s is no key',
    (key) => expect(isKey(key)).toBe(false),
  );
});
