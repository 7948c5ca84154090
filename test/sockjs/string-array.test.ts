/** The body of an xhr_send in any pieces, against JSON.parse of the whole. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokenArray, StringArrayReader } from '../../proxy/sockjs/index.ts';

/** What came out before the end or the fault, and the fault. */
function read(pieces: readonly string[], maxChars = 1_000_000): { strings: string[]; fault?: string } {
  const reader = new StringArrayReader(maxChars);
  const strings: string[] = [];
  try {
    for (const piece of pieces) strings.push(...reader.push(piece));
    reader.end();
    return { strings };
  } catch (error) {
    if (!(error instanceof BrokenArray)) throw error;
    return { strings, fault: error.message };
  }
}

/** The same by JSON.parse: the array, or undefined. */
function oracle(body: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** A text in pieces, cut anywhere, in the middle of an escape or a surrogate pair too. */
const cut = (body: string) =>
  fc.array(fc.nat(body.length)).map((places) => {
    const all = [0, ...places.toSorted((a, b) => a - b), body.length];
    return all.slice(1).map((to, index) => body.slice(all[index], to));
  });

const unit = fc.constantFrom(
  '[',
  ']',
  '"',
  '\\',
  ',',
  ' ',
  '\n',
  'u',
  '0',
  'a',
  '\u0001',
  'é',
  '\ud83d',
  '1',
  '{',
  'n',
);
const whole = fc.array(fc.string({ unit: 'binary' })).map((strings) => JSON.stringify(strings));
const spaced = fc.array(fc.string()).map((strings) => JSON.stringify(strings, undefined, '\t'));
const garbage = fc.string({ unit, maxLength: 30 });
const damaged = fc.tuple(whole, fc.nat(), unit).map(([body, at, put]) => {
  const place = at % (body.length + 1);
  return body.slice(0, place) + put + body.slice(place + 1);
});

test('takes what JSON takes, and gives the same strings, at any cut', () => {
  const bodies = fc.oneof(whole, spaced, garbage, damaged).chain((body) => fc.tuple(fc.constant(body), cut(body)));
  fc.assert(
    fc.property(bodies, ([body, pieces]) => {
      const expected = oracle(body);
      const { strings, fault } = read(pieces);
      if (expected === undefined) expect(fault).toBeDefined();
      else expect({ strings, fault }).toEqual({ strings: expected, fault: undefined });
    }),
    { numRuns: 5_000 },
  );
});

describe('a string', () => {
  test('comes out before the body ends', () => {
    expect(new StringArrayReader(100).push('["a","b')).toEqual(['a']);
  });

  test.each([
    [9, undefined],
    [10, undefined],
    [11, 'A message is larger than 10 characters of JSON.'],
  ])('of %i characters, where 10 may be', (length, fault) => {
    const string = `"${'x'.repeat(length - 2)}"`;
    expect(read([`[${string}]`], 10).fault).toBe(fault);
    expect(read([...`[${string}]`], 10).fault).toBe(fault);
  });
});

test.each([
  ['', 'Payload expected.'],
  [' \n', 'Payload expected.'],
  ['["x', 'Broken JSON encoding.'],
  ['[1]', 'Broken JSON encoding.'],
  ['"x"', 'Broken JSON encoding.'],
  ['["a"]x', 'Broken JSON encoding.'],
  ['["a",]', 'Broken JSON encoding.'],
])('%j: %s', (body, fault) => expect(read([body]).fault).toBe(fault));
