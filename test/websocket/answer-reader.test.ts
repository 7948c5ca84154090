/** The answer to an upgrade request: what is one, what is none, and where it ends, however its octets are cut. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ANSWER_MAX_BYTES, type Answer, AnswerReader } from '../../websocket/index.ts';
import { cuttings } from './reading.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** What is made of the octets, and how much of them stands behind the answer. */
function read(chunks: readonly Uint8Array[]): { status: number; fields: object; rest: string } | string | undefined {
  const reader = new AnswerReader();
  for (const [index, chunk] of chunks.entries()) {
    const answer = reader.push(chunk);
    if (typeof answer === 'string') return answer;
    if (answer === undefined) continue;
    const { status, fields, rest } = answer as Answer;
    const behind = Buffer.concat([rest, ...chunks.slice(index + 1)]).toString('latin1');
    return { status, fields: Object.fromEntries(fields), rest: behind };
  }
  return undefined;
}

function readAnyway(octets: Uint8Array) {
  const whole = read([octets]);
  for (const chunks of cuttings(octets)) expect(read(chunks)).toEqual(whole);
  return whole;
}

const NO_HTTP = 'The answer is not HTTP/1.1';
const NO_FIELD = 'The head of the answer has a line that is no field';
const CONTROL = 'The head of the answer holds a control character';
const TOO_LONG = `The head of the answer has more than ${ANSWER_MAX_BYTES} bytes`;

describe('is an answer', () => {
  const answers: [what: string, octets: string, expected: object][] = [
    ['without fields', 'HTTP/1.1 302 Found\r\n\r\n', { status: 302, fields: {}, rest: '' }],
    ['without a reason', 'HTTP/1.1 200\r\n\r\n', { status: 200, fields: {}, rest: '' }],
    ['with an empty reason', 'HTTP/1.1 999 \r\n\r\n', { status: 999, fields: {}, rest: '' }],
    ['of HTTP/1.0', 'HTTP/1.0 404 No\r\n\r\nbody', { status: 404, fields: {}, rest: 'body' }],
    [
      'with fields, in any case, with blanks round the value',
      'HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nX-A:b:c \t\r\nempty:\r\n\r\n\x81\x00',
      { status: 101, fields: { upgrade: 'websocket', 'x-a': 'b:c', empty: '' }, rest: '\x81\x00' },
    ],
    [
      'with a repeated field',
      'HTTP/1.1 101 S\r\na: 1\r\nA: 2\r\n\r\n',
      { status: 101, fields: { a: '1, 2' }, rest: '' },
    ],
    ['with a folded field', 'HTTP/1.1 101 S\r\na: 1\r\n \t 2\r\n\r\n', { status: 101, fields: { a: '1 2' }, rest: '' }],
    [
      'with octets beyond ASCII',
      'HTTP/1.1 200 \xfc\r\na: \xe4\r\n\r\n',
      { status: 200, fields: { a: '\xe4' }, rest: '' },
    ],
    [
      'behind interim ones',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 101 S\r\nb: 2\r\n\r\nHTTP',
      { status: 101, fields: { b: '2' }, rest: 'HTTP' },
    ],
  ];
  test.each(answers)('%s', (_what, octets, expected) => expect(readAnyway(latin1(octets))).toEqual(expected));
});

describe('is none', () => {
  const wrong: [what: string, octets: string, why: string][] = [
    ['another protocol, at its first octet', 'SSH-2.0-OpenSSH\r\n', NO_HTTP],
    ['a newline first', '\r\nHTTP/1.1 101 S\r\n\r\n', NO_HTTP],
    ['small letters', 'http/1.1 101 S\r\n\r\n', NO_HTTP],
    ['HTTP/2', 'HTTP/2 101 S\r\n\r\n', NO_HTTP],
    ['HTTP/1.2', 'HTTP/1.2 101 S\r\n\r\n', NO_HTTP],
    ['a status of two digits', 'HTTP/1.1 99 S\r\n\r\n', NO_HTTP],
    ['a status of four digits', 'HTTP/1.1 1011 S\r\n\r\n', NO_HTTP],
    ['status 0', 'HTTP/1.1 000 S\r\n\r\n', NO_HTTP],
    ['two blanks before the status', 'HTTP/1.1  101 S\r\n\r\n', NO_HTTP],
    ['nothing at all before the blank line', 'HTTP/1.\r\n\r\n', NO_HTTP],
    ['another protocol behind an interim answer', 'HTTP/1.1 100 C\r\n\r\nnonsense', NO_HTTP],
    ['a line without a colon', 'HTTP/1.1 101 S\r\nUpgrade\r\n\r\n', NO_FIELD],
    ['a field without a name', 'HTTP/1.1 101 S\r\n: websocket\r\n\r\n', NO_FIELD],
    ['a blank before the colon', 'HTTP/1.1 101 S\r\nUpgrade : websocket\r\n\r\n', NO_FIELD],
    ['LF alone', 'HTTP/1.1 101 S\r\na: 1\nb: 2\r\n\r\n', NO_FIELD],
    ['CR alone', 'HTTP/1.1 101 S\r\na: 1\rb: 2\r\n\r\n', NO_FIELD],
    ['LF alone in the first line', 'HTTP/1.1 101 S\na: 1\r\n\r\n', NO_HTTP],
    ['a NUL', 'HTTP/1.1 101 S\r\na: \0\r\n\r\n', CONTROL],
    ['a DEL', 'HTTP/1.1 101 S\r\na: \x7f\r\n\r\n', CONTROL],
  ];
  test.each(wrong)('%s', (_what, octets, why) => expect(readAnyway(latin1(octets))).toBe(why));
});

describe('is not whole', () => {
  const parts = ['', 'H', 'HTTP/1.', 'HTTP/1.1 101', 'HTTP/1.1 101 S\r\na: b\r\n\r', 'HTTP/1.1 100 C\r\n\r\nHTTP/'];
  test.each(parts)('%j', (octets) => expect(readAnyway(latin1(octets))).toBeUndefined());
});

describe('a head', () => {
  const start = 'HTTP/1.1 101 S\r\na: ';
  const ofBytes = (bytes: number) => latin1(`${start}${'x'.repeat(bytes - start.length - 4)}\r\n\r\n`);

  test.each([ANSWER_MAX_BYTES - 1, ANSWER_MAX_BYTES])('of %d octets is one', (bytes) => {
    expect(readAnyway(Buffer.concat([ofBytes(bytes), latin1('rest')]))).toMatchObject({ status: 101, rest: 'rest' });
  });

  test('of one octet more is none, as one that does not end', () => {
    expect(readAnyway(ofBytes(ANSWER_MAX_BYTES + 1))).toBe(TOO_LONG);
    expect(readAnyway(latin1(start.padEnd(ANSWER_MAX_BYTES, 'x')))).toBe(TOO_LONG);
    expect(readAnyway(latin1(start.padEnd(ANSWER_MAX_BYTES - 1, 'x')))).toBeUndefined();
  });

  test('of interim answers without end is none', () => {
    expect(readAnyway(latin1('HTTP/1.1 100 C\r\n\r\n'.repeat(1000)))).toBe(TOO_LONG);
  });
});

const token = fc.stringMatching(/^[!#$%&'*+.^`|~\w-]{1,12}$/);
const value = fc.stringMatching(/^[!-~]([\t -~]{0,20}[!-~])?$/);

test('what is written is read back, at any cut, with what stands behind it', () => {
  const head = fc.record({
    status: fc.oneof(fc.constant(101), fc.integer({ min: 200, max: 999 })),
    fields: fc.uniqueArray(fc.tuple(token, value), { maxLength: 6, selector: ([name]) => name.toLowerCase() }),
    rest: fc.string(),
  });
  fc.assert(
    fc.property(head, ({ status, fields, rest }) => {
      const lines = fields.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const expected = Object.fromEntries(fields.map(([name, text]) => [name.toLowerCase(), text]));
      const octets = Buffer.concat([latin1(`HTTP/1.1 ${status} R\r\n${lines}\r\n`), Buffer.from(rest)]);
      expect(readAnyway(octets)).toEqual({ status, fields: expected, rest: Buffer.from(rest).toString('latin1') });
    }),
  );
});

test('any octets are judged the same at any cut', () => {
  const piece = fc.constantFrom(
    'HTTP/1.1 ',
    '101',
    '100 C',
    ' ',
    '\r\n',
    '\r\n\r\n',
    '\r',
    '\n',
    'a: b',
    ':',
    'x',
    '\0',
  );
  const octets = fc.array(piece, { maxLength: 14 }).map((pieces) => latin1(pieces.join('')));
  fc.assert(
    fc.property(octets, fc.boolean(), (some, isBegun) => {
      readAnyway(isBegun ? Buffer.concat([latin1('HTTP/1.1 101 S\r\n'), some]) : some);
    }),
    { numRuns: 500 },
  );
});
