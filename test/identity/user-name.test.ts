import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHeaderValue, toHeaderValue, userNameProblem } from '../../proxy/identity/user-name.ts';

describe('a user may be called', () => {
  test.each([
    'a',
    'alice@example.com',
    'urn:user:7',
    'a/b',
    'zoë',
    '李',
    'two words',
    '😀',
    'x'.repeat(256),
    'é'.repeat(128),
  ])('%.20s', (name) => expect(userNameProblem(name)).toBeUndefined());
});

describe('a user may not be called', () => {
  test.each([
    ['', 'is empty'],
    ['x'.repeat(257), 'is longer than 256 bytes'],
    ['é'.repeat(129), 'is longer than 256 bytes'],
    ...['a\0b', 'a\rb', 'a\nb', '\t', '\x1b[31m', 'a\x7f', 'a\x85b'].map((name) => [name, 'holds a control character']),
    ...['\u202ea', 'a\u2066', 'a\u200f', 'a\u061c', 'a\u2028b', '\ufeffa', 'a\ufffd'].map((name) => [
      name,
      'holds a character that hides or reorders text',
    ]),
    ...[' a', 'a ', '\u00a0a', 'a\u3000'].map((name) => [name, 'begins or ends with a blank']),
    ['a\ud800', 'is no valid Unicode text'],
  ])('%j, because it %s', (name, problem) => expect(userNameProblem(name ?? '')).toBe(problem));
});

test('every name that is allowed comes out of an HTTP header as it went in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (name) => {
      fc.pre(userNameProblem(name) === undefined);
      const value = toHeaderValue(name);
      // Node's rule for header values; parsers take these blanks off the ends (RFC 9110 section 5.5).
      expect(value).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
      expect(fromHeaderValue(value.replaceAll(/^[ \t]+|[ \t]+$/g, ''))).toBe(name);
    }),
  );
});

test.each(['\xff', '\xc3', '\xed\xa0\x80', '\xc0\x80'])('header bytes %j are no UTF-8', (value) =>
  expect(fromHeaderValue(value)).toBeUndefined(),
);
