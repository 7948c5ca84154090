/** How a frame is cut for peers that take only so much in one message. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chunksOf, messageMaxBytes } from '../../proxy/relay/chunks.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const cut = (text: string, maxBytes: number, binary = false) =>
  chunksOf(bytesOf(text), maxBytes, binary).map((chunk) => Buffer.from(chunk).toString('latin1'));

describe('the limit', () => {
  const limits = { textMaxBytes: 64, binaryMaxBytes: 32, oneFramePerMessage: false };
  test('is that of the kind of message', () => {
    expect(messageMaxBytes(limits, false)).toBe(64);
    expect(messageMaxBytes(limits, true)).toBe(32);
  });
  test('is none by default, and none where a message is one frame', () => {
    expect(messageMaxBytes(undefined, false)).toBe(Number.POSITIVE_INFINITY);
    expect(messageMaxBytes({ ...limits, oneFramePerMessage: true }, true)).toBe(Number.POSITIVE_INFINITY);
  });
});

test.each([
  ['one below the limit', 'abcdefg', ['abcdefg']],
  ['the limit', 'abcdefgh', ['abcdefgh']],
  ['one above it', 'abcdefghi', ['abcdefgh', 'i']],
  ['twice the limit', 'abcdefghijklmnop', ['abcdefgh', 'ijklmnop']],
  ['one more than that', 'abcdefghijklmnopq', ['abcdefgh', 'ijklmnop', 'q']],
  ['nothing', '', ['']],
])('%s, of 8', (_name, text, chunks) => expect(cut(text, 8)).toEqual(chunks));

describe('a text is never cut', () => {
  test.each([
    ['inside a character of two octets', 'abcdefgé', ['abcdefg', '\xc3\xa9']],
    ['inside a character of four octets', 'abcde😀', ['abcde', '\xf0\x9f\x98\x80']],
    ['after CR', 'abcdefg\r\nh', ['abcdefg', '\r\nh']],
    ['after several', 'abcdef\r\r\nh', ['abcdef', '\r\r\nh']],
  ])('%s', (_name, text, chunks) => expect(cut(text, 8)).toEqual(chunks));

  test('but where there is no other place the limit decides', () => {
    expect(cut('\r'.repeat(9), 8)).toEqual(['\r'.repeat(8), '\r']);
  });
});

test('octets of a binary message may be cut anywhere but after CR', () => {
  expect(cut('abcdefgé', 8, true)).toEqual(['abcdefg\xc3', '\xa9']);
  expect(cut('abcdefg\r\n', 8, true)).toEqual(['abcdefg', '\r\n']);
});

test('no chunk is over the limit, all together are the frame, and texts are whole characters', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\r', '\n', '\0'), maxLength: 200 });
  fc.assert(
    fc.property(text, fc.integer({ min: 32, max: 64 }), fc.boolean(), (given, maxBytes, binary) => {
      const chunks = chunksOf(bytesOf(given), maxBytes, binary);
      expect(Buffer.concat(chunks).toString()).toBe(given);
      for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(maxBytes);
      if (binary || /\r{20}/.test(given)) return;
      const strict = new TextDecoder('utf-8', { fatal: true });
      for (const chunk of chunks.slice(0, -1)) expect(strict.decode(chunk)).not.toMatch(/\r$/);
    }),
  );
});
