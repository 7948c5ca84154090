/** SockJS framing against JSON itself: what one side writes, the other reads, and nothing else is taken. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrayFrame, clientFraming, closeFrame, quote, serverFraming } from '../../proxy/sockjs/index.ts';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\0', '\r\n', '\\', '"', '\u2028'));
/** Lone surrogates among it: JavaScript can say them, UTF-8 cannot. */
const anyText = fc.oneof(text, fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }));

describe('quoted text', () => {
  test('is JSON for the same text', () => {
    fc.assert(
      fc.property(anyText, (given) => {
        expect(JSON.parse(quote(given))).toBe(given);
      }),
    );
  });

  test.each([
    ['\u200c', '"\\u200c"'],
    ['\u200f', '"\\u200f"'],
    ['\u2028\u202f', '"\\u2028\\u202f"'],
    ['\u2060\u206f', '"\\u2060\\u206f"'],
    ['\ufff0\uffff', '"\\ufff0\\uffff"'],
    ['\u0000\u001f', '"\\u0000\\u001f"'],
    ['\u200b\u2010\u2027\u2030\u205f\u2070\uffef', '"\u200b\u2010\u2027\u2030\u205f\u2070\uffef"'],
    ['😀é', '"😀é"'],
  ])('%j is written as %s', (given, written) => expect(quote(given)).toBe(written));
});

describe('what is written is read', () => {
  test('by a client, messages', () => {
    fc.assert(
      fc.property(fc.array(anyText), (messages) => {
        expect(clientFraming.read(arrayFrame(messages.map(quote)))).toEqual({ type: 'messages', messages });
      }),
    );
  });

  test('by a client, a close', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 4999 }), anyText, (code, reason) => {
        expect(clientFraming.read(closeFrame(code, reason))).toEqual({ type: 'close', code, reason });
      }),
    );
  });

  test('in either direction, one text', () => {
    fc.assert(
      fc.property(anyText, (message) => {
        expect(clientFraming.read(serverFraming.wrap(message))).toEqual({ type: 'messages', messages: [message] });
        expect(serverFraming.read(clientFraming.wrap(message))).toEqual({ type: 'messages', messages: [message] });
      }),
    );
  });
});

describe('a server', () => {
  test.each([
    ['', []],
    ['[]', []],
    ['["a"]', ['a']],
    ['["a","b"]', ['a', 'b']],
    ['"a"', ['a']],
    [' [ "a" ] ', ['a']],
  ])('reads %j', (said, messages) => expect(serverFraming.read(said)).toEqual({ type: 'messages', messages }));

  test.each(['["a', '[1]', '["a",1]', '{}', '1', 'null', 'true', 'a["a"]', 'o', '[["a"]]', '[null]'])(
    'does not take %j',
    (said) => expect(serverFraming.read(said)).toEqual({ type: 'broken' }),
  );
});

describe('a client', () => {
  test.each([
    ['o', { type: 'open' }],
    ['h', { type: 'heartbeat' }],
    ['a[]', { type: 'messages', messages: [] }],
    ['c[3000,"Go away!"]', { type: 'close', code: 3000, reason: 'Go away!' }],
  ])('reads %j', (said, expected) => expect(clientFraming.read(said)).toEqual(expected));

  test.each(['', 'oo', 'hh', 'a', 'a"a"', 'a[1]', 'c', 'c[]', 'c[3000]', 'c["3000",""]', 'c[1.5,""]', 'x', '["a"]'])(
    'does not take %j',
    (said) => expect(clientFraming.read(said)).toEqual({ type: 'broken' }),
  );
});
