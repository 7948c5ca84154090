/** What a glance calls plain is what the decoder, and the rules for plain frames, call so. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS, Glance } from '../../stomp/index.ts';
import { frameText } from './frame-text.ts';
import { glanceAgrees } from './glance-agrees.ts';
import type { Rules } from './oracle.ts';

const octetsOf = (text: string) => new Uint8Array(Buffer.from(text));
const WATCHED = ['receipt', 'holdfast-id'];
const lines = WATCHED.map((name) => `${name}:`);

const plain = new Glance({ command: 'MESSAGE', watched: lines });
const isPlain = (text: string, glance = plain) => glance.isPlain(octetsOf(text), 0, Buffer.byteLength(text));

describe('a glance', () => {
  test.each([
    ['a body without a length', 'MESSAGE\na:b\n\nbody\0'],
    ['a length', 'MESSAGE\na:b\ncontent-length:3\n\na\0b\0'],
    ['no headers, no body', 'MESSAGE\n\n\0'],
    ['line ends behind', 'MESSAGE\na:b\n\n\0\n\r\n'],
    ['a value with colons and blanks', 'MESSAGE\na: b:c \n\n\0'],
    ['a name that only begins like a watched one', 'MESSAGE\nreceipt-id:1\nholdfast-ids:1\n\n\0'],
    ['an octet that is no ASCII', 'MESSAGE\né:é\n\né\0'],
  ])('passes %s', (_, text) => expect(isPlain(text)).toBe(true));

  test.each([
    ['nothing', ''],
    ['a beat', '\n'],
    ['another command', 'ERROR\n\n\0'],
    ['a longer command', 'MESSAGES\n\n\0'],
    ['a line end before it', '\nMESSAGE\n\n\0'],
    ['a watched name', 'MESSAGE\na:b\nreceipt:1\n\n\0'],
    ['a frame that is not whole', 'MESSAGE\na:b\n\nbody'],
    ['headers that are not whole', 'MESSAGE\na:b\n'],
    ['a length that is not here', 'MESSAGE\ncontent-length:9\n\nbody\0'],
    ['a length that ends before the NUL', 'MESSAGE\ncontent-length:3\n\nbody\0'],
    ['two lengths', 'MESSAGE\ncontent-length:4\ncontent-length:4\n\nbody\0'],
    ['a length with a sign', 'MESSAGE\ncontent-length:+4\n\nbody\0'],
    ['an octet behind the digits', 'MESSAGE\ncontent-length::\n\n0123456789\0'],
    ['a length without digits', 'MESSAGE\ncontent-length:\n\nbody\0'],
    ['a second frame', 'MESSAGE\n\n\0MESSAGE\n\n\0'],
    ['octets behind', 'MESSAGE\n\nbody\0x'],
    ['a line without a colon', 'MESSAGE\nab\n\n\0'],
    ['a line without a name', 'MESSAGE\n:b\n\n\0'],
    ['a CR, which is a line end in 1.2 only', 'MESSAGE\r\na:b\n\n\0'],
    ['a CR in a header', 'MESSAGE\na:b\r\n\n\0'],
    ['an escape, whose meaning depends on the version', 'MESSAGE\na:\\n\n\n\0'],
    ['a name behind a blank, which 1.0 takes off', 'MESSAGE\n receipt:1\n\n\0'],
    ['a name before a blank', 'MESSAGE\nreceipt :1\n\n\0'],
    ['a NUL in a header', 'MESSAGE\na:\0b\n\n\0'],
  ])('leaves to the decoder %s', (_, text) => expect(isPlain(text)).toBe(false));

  test('looks at its part of the octets alone', () => {
    const octets = octetsOf('xxMESSAGE\n\nbody\0\0receipt:1');
    expect(plain.isPlain(octets, 2, octets.length - 10)).toBe(true);
    expect(plain.isPlain(octets, 2, octets.length - 9)).toBe(false);
  });

  test.each([-1, 0, 1])('a bound and %i', (more) => {
    const text = 'MESSAGE\na:b\nc:d\n\nbody\0';
    const limited = (limits: object) => new Glance({ command: 'MESSAGE', watched: [], limits });
    const fits = more >= 0;
    expect(isPlain(text, limited({ maxFrameBytes: text.length + more }))).toBe(fits);
    expect(isPlain(text, limited({ maxHeaderBytes: 8 + more }))).toBe(fits);
    expect(isPlain(text, limited({ maxHeaders: 2 + more }))).toBe(fits);
  });
});

describe('a glance at a frame with marks', () => {
  const marking = new Glance({ command: 'MESSAGE', watched: [], marks: ['id', 'seq'], besides: ['to'] });
  const valuesOf = (text: string) => {
    expect(isPlain(text, marking)).toBe(true);
    return marking.isMarked ? [0, 1, 2].map((index) => marking.valueOf(index)) : 'unmarked';
  };

  test.each([
    ['all of them', 'MESSAGE\nto:/a\nid:1\nseq:s:1\n\n\0', ['1', 's:1', '/a']],
    ['one mark', 'MESSAGE\nseq:s:1\n\n\0', [undefined, 's:1', undefined]],
    ['the first of those with one name', 'MESSAGE\nid:1\nid:2\nto:a\nto:b\n\n\0', ['1', undefined, 'a']],
    ['an empty value', 'MESSAGE\nid:\n\n\0', ['', undefined, undefined]],
    ['a name that only begins like a mark', 'MESSAGE\nids:1\nto:/a\n\n\0', 'unmarked'],
    ['nothing of the body', 'MESSAGE\nto:/a\n\nid:1\n\0', 'unmarked'],
    ['none but those of a mark', 'MESSAGE\nto:é\n\n\0', 'unmarked'],
  ])('reads %s', (_, text, values) => expect(valuesOf(text)).toEqual(values));

  test('tells nothing of the frame before', () => {
    expect(valuesOf('MESSAGE\nto:/a\nid:1\n\n\0')).toEqual(['1', undefined, '/a']);
    expect(valuesOf('MESSAGE\nid:2\n\n\0')).toEqual(['2', undefined, undefined]);
    expect(valuesOf('MESSAGE\na:b\n\n\0')).toBe('unmarked');
  });

  test.each([
    ['a blank before a value, which 1.0 takes off', 'MESSAGE\nid: 1\n\n\0'],
    ['a blank behind it', 'MESSAGE\nid:1\nto:a\t\n\n\0'],
    ['a value that is no ASCII', 'MESSAGE\nid:é\n\n\0'],
  ])('leaves to the decoder %s', (_, text) => expect(isPlain(text, marking)).toBe(false));
});

const rules: fc.Arbitrary<Rules> = fc.record({
  peer: fc.constantFrom('client', 'server'),
  version: fc.constantFrom('1.0', '1.1', '1.2'),
  strict: fc.boolean(),
  limits: fc.constantFrom(DEFAULT_LIMITS, { maxFrameBytes: 40, maxHeaderBytes: 16, maxHeaders: 2 }),
});

test('a yes is the decoder’s own, in every version and for both peers', () => {
  let yes = 0;
  fc.assert(
    fc.property(frameText, rules, (said, rule) => {
      if (glanceAgrees(octetsOf(said), rule)) yes++;
    }),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(400);
});
