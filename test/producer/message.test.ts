import { describe, expect, test } from 'vitest';
import { checkDraft, type Draft } from '../../producer/message.ts';

const check = (draft: Partial<Draft>) => () => checkDraft({ user: 'alice', destination: '/queue/x', ...draft });
const destination = (bytes: number) => `/${'x'.repeat(bytes - 1)}`;
const headers = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, 'v']));

describe('a message', () => {
  test.each<[string, Partial<Draft>]>([
    ['any user', { user: '../ä?%/漢字 \u00e9' }],
    ['a user of 512 bytes', { user: 'x'.repeat(511) }],
    ['a user of 512 bytes', { user: 'x'.repeat(512) }],
    ['a destination of 511 bytes', { destination: destination(511) }],
    ['a destination of 512 bytes', { destination: destination(512) }],
    ['an id of 127 characters', { id: 'x'.repeat(127) }],
    ['an id of 128 characters', { id: 'x'.repeat(128) }],
    ['a seq of 128 characters', { seq: 'x'.repeat(128) }],
    ['a content type of 256 characters', { contentType: 'x'.repeat(256) }],
    ['31 headers', { headers: headers(31) }],
    ['32 headers', { headers: headers(32) }],
    ['4096 characters of headers', { headers: { abc: 'v'.repeat(4093) } }],
  ])('may have %s', (_, draft) => expect(check(draft)).not.toThrow());

  test.each<[string, Partial<Draft>, RegExp]>([
    ['no user', { user: '' }, /^user must be a string that is not empty/],
    ['a user of 513 bytes', { user: 'x'.repeat(513) }, /^user must not be longer than 512 bytes/],
    ['a user of 257 letters of 2 bytes', { user: 'é'.repeat(257) }, /^user must not be longer than 512 bytes/],
    ['a line break in the user', { user: 'a\nb' }, /^user must not contain control characters/],
    ['a NUL in the user', { user: 'a\u0000' }, /^user must not contain control/],
    ['half a character in the user', { user: '\ud800' }, /^user must be well-formed Unicode/],
    ['a destination without /', { destination: 'queue/x' }, /^destination must start with '\/'/],
    ['a destination with /user', { destination: '/user/queue/x' }, /without \/user.*\/queue\/x here/],
    ['a destination of 513 bytes', { destination: destination(513) }, /^destination must not be longer than 512/],
    ['a CR in the destination', { destination: '/a\r' }, /^destination must not contain control/],
    ['an empty id', { id: '' }, /^id must not be empty/],
    ['an id of 129 characters', { id: 'x'.repeat(129) }, /^id must not be longer than 128/],
    ['a seq of 129 characters', { seq: 'x'.repeat(129) }, /^seq must not be longer than 128/],
    ['a line break in the id', { id: 'a\r\nhost:b' }, /^id must be a string of printable/],
    ['a content type of 257 characters', { contentType: 'x'.repeat(257) }, /^contentType must not be longer/],
    ['33 headers', { headers: headers(33) }, /^headers must not be more than 32/],
    ['4097 characters of headers', { headers: { abc: 'v'.repeat(4094) } }, /^headers must not be longer than 4096/],
    ['a header name with a blank', { headers: { 'a b': 'v' } }, /^header names must be HTTP tokens/],
    ['a header value with LF', { headers: { a: 'v\nb:c' } }, /^header a must be/],
    ['a header that the producer sets', { headers: { 'Holdfast-Id': 'v' } }, /^header Holdfast-Id is set by/],
    ['a header that the transport sets', { headers: { Destination: '/x' } }, /^header Destination is set by/],
  ])('must not have %s', (_, draft, text) => {
    expect(check(draft)).toThrow(text);
    expect(check(draft)).toThrow(expect.objectContaining({ name: 'ProducerError', code: 'bad-message' }));
  });
});
