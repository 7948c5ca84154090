import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Decoder, encode, type Frame, frameOf, type Peer, StompError, type Version } from '../../stomp/index.ts';
import { latin1, type PlainFrame, type Reading, type Rules, readAll } from './oracle.ts';

const version = fc.constantFrom<Version>('1.0', '1.1', '1.2');

/** Small limits, so that streams of some dozen octets meet them. */
const rules: fc.Arbitrary<Rules> = fc.record({
  peer: fc.constantFrom('client', 'server'),
  version,
  strict: fc.boolean(),
  limits: fc.oneof(
    fc.constant({ maxFrameBytes: 1000, maxHeaderBytes: 500, maxHeaders: 50 }),
    fc.record({
      maxFrameBytes: fc.integer({ min: 12, max: 80 }),
      maxHeaderBytes: fc.integer({ min: 1, max: 60 }),
      maxHeaders: fc.integer({ min: 1, max: 4 }),
    }),
  ),
});

/** Mostly the first, now and then one of the others. */
const mostly = (usual: fc.Arbitrary<string>, ...odd: string[]) =>
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const commands = {
  client: fc.constantFrom('SEND', 'SEND', 'CONNECT', 'SUBSCRIBE', 'ACK', 'STOMP', 'DISCONNECT', 'UNSUBSCRIBE'),
  server: fc.constantFrom('MESSAGE', 'MESSAGE', 'ERROR', 'RECEIPT', 'CONNECTED'),
};
const lineEnd = mostly(fc.constant('\n'), '\r\n', '\r', '\0');
const header = mostly(
  fc.constantFrom(
    'a:b',
    'a:\\n\\c\\\\',
    'é:w',
    'k :  v ',
    'k:v:w',
    'x:',
    'content-length:3',
    'content-length:3',
    'content-length:0',
  ),
  ...[
    ':v',
    'no colon',
    'c:\\t',
    'r:\\r',
    'e:\\',
    'x:a\rb',
    ' k:v',
    'content-length: 2 ',
    'content-length:7x',
    'content-length:99',
  ],
);
const content = fc.constantFrom('', '', 'abc', 'abc', 'a\0b', '\0\0\0', 'hello', 'é');
const gap = fc.constantFrom('', '', '\n', '\r\n', '\n\n');

/** A frame that is right, nearly right or wrong. */
const nearFrame = (peer: Peer) =>
  fc
    .tuple(
      mostly(commands[peer], 'RECEIPT', 'ACK', 'send', ''),
      lineEnd,
      fc.array(fc.tuple(header, lineEnd), { maxLength: 4 }),
      lineEnd,
      content,
      mostly(fc.constant('\0'), '', 'x', '\0\0'),
      gap,
    )
    .map(([command, end, headers, blank, body, nul, gap]) =>
      Buffer.from([command, end, ...headers.flat(), blank, body, nul, gap].join('')),
    );

/** A stream and the rules to read it by. */
const reading = rules.chain((rule) =>
  fc
    .array(
      fc.oneof(
        { weight: 15, arbitrary: nearFrame(rule.peer) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }) },
      ),
      {
        maxLength: 5,
      },
    )
    .map((parts) => ({ rule, whole: new Uint8Array(Buffer.concat(parts)) })),
);

/** Lengths of chunks, taken over and over. */
const chunking = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }).map((sizes) => [...sizes, 1]);

function* chunks(whole: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy each, as from a socket.
    yield whole.slice(at, at + size);
    at += size;
  }
}

function plain(frame: Frame): PlainFrame {
  return {
    command: frame.command,
    raw: latin1(frame.bytes),
    headerLines: Array.from(frame.headerLines(), latin1),
    headers: Array.from(frame.headers(), ([name, value]) => [name, value]),
    body: latin1(frame.body),
  };
}

function readInChunks(whole: Uint8Array, sizes: readonly number[], { peer, version, strict, limits }: Rules): Reading {
  const decoder = new Decoder({ peer, version, strict, limits });
  const frames: Frame[] = [];
  for (const chunk of chunks(whole, sizes)) {
    for (const found of decoder.push(chunk)) if (found !== 'beat') frames.push(found);
    expect(decoder.bufferedBytes).toBeLessThanOrEqual(limits.maxFrameBytes);
  }
  return { frames: frames.map(plain), error: decoder.error?.code, rest: decoder.bufferedBytes };
}

test('at any chunking the decoder reads what the oracle reads', () => {
  fc.assert(
    fc.property(reading, chunking, ({ whole, rule }, sizes) => {
      expect(readInChunks(whole, sizes, rule)).toEqual(readAll(whole, rule));
    }),
    { numRuns: 20_000 },
  );
});

test('a blank line over the limit that is cut before its LF, after headers that are wrong otherwise', () => {
  const whole = new Uint8Array(Buffer.from('ACK\nx:\ncontent-length:3\n\r\n\0'));
  const limits = { maxFrameBytes: 24, maxHeaderBytes: 47, maxHeaders: 2 };
  const rule: Rules = { peer: 'client', version: '1.2', strict: true, limits };
  for (const sizes of [[whole.length], [1]]) expect(readInChunks(whole, sizes, rule).error).toBe('frame-too-large');
});

test('the error says the same at any chunking', () => {
  const messageOf = (whole: Uint8Array, sizes: readonly number[], rule: Rules) => {
    const decoder = new Decoder(rule);
    for (const chunk of chunks(whole, sizes)) decoder.push(chunk);
    return decoder.error?.message;
  };
  fc.assert(
    fc.property(reading, chunking, ({ whole, rule }, sizes) => {
      expect(messageOf(whole, sizes, rule)).toBe(messageOf(whole, [whole.length + 1], rule));
    }),
    { numRuns: 5_000 },
  );
});

test('any octets give frames or one StompError, and nothing after it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), rules, (parts, rule) => {
      const decoder = new Decoder(rule);
      for (const part of parts) {
        const failed = decoder.error;
        const found = decoder.push(part);
        if (failed !== undefined) expect(found).toEqual([]);
        if (failed !== undefined) expect(decoder.error).toBe(failed);
      }
      if (decoder.error !== undefined) expect(decoder.error).toBeInstanceOf(StompError);
    }),
    { numRuns: 2_000 },
  );
});

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\\', ':', '\n', '\r', ' ', 'c', 'n', 'r', 'é', '😀', '\ufeff'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
  maxLength: 12,
});
const headers = fc.array(fc.tuple(anyText, anyText), { maxLength: 6 });
const body = fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined });

/** What encode refuses, written apart from it. */
function sayable(name: string, value: string, command: string, version: Version): boolean {
  const escaped = command !== 'CONNECT' && version !== '1.0';
  if (name === '' || name === 'content-length' || /\0/.test(name + value)) return false;
  if (version === '1.0' && /^[ \t]|[ \t]$/.test(name)) return false;
  return escaped || (!/[\r\n]/.test(name + value) && !name.includes(':'));
}

test('what is encoded is decoded again, in every version', () => {
  const command = fc.constantFrom('SEND', 'CONNECT', 'SUBSCRIBE');
  fc.assert(
    fc.property(command, headers, body, version, (command, all, octets, version) => {
      const sent = all.filter(([name, value]) => sayable(name, value, command, version));
      const content = command === 'SEND' ? octets : undefined;
      const frame = frameOf(encode(command, sent, content, version), 'client', version);
      const trimmed = (value: string) => (version === '1.0' ? value.replace(/^[ \t]+|[ \t]+$/g, '') : value);
      const expected = sent.map(([name, value]) => [name, trimmed(value)]);
      if (content !== undefined) expected.push(['content-length', String(content.length)]);
      expect([...frame.headers()]).toEqual(expected);
      expect(frame.command).toBe(command);
      expect([...frame.body]).toEqual([...(content ?? [])]);
      for (const [name = ''] of expected) {
        expect(frame.header(name)).toBe(expected.find((header) => header[0] === name)?.[1]);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('what cannot be said is refused with a RangeError', () => {
  fc.assert(
    fc.property(anyText, anyText, fc.constantFrom('SEND', 'CONNECT'), version, (name, value, command, version) => {
      fc.pre(name !== 'content-length' && !sayable(name, value, command, version));
      expect(() => encode(command, [[name, value]], undefined, version)).toThrow(RangeError);
    }),
    { numRuns: 2_000 },
  );
});

test('a frame with one octet changed, added or gone gives frames or one error', () => {
  const edit = fc.record({
    at: fc.nat(),
    octet: fc.integer({ min: 0, max: 255 }),
    kind: fc.constantFrom('set', 'add', 'drop'),
  });
  fc.assert(
    fc.property(
      headers,
      body,
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      chunking,
      rules,
      (all, octets, edits, sizes, rule) => {
        const said = all.filter(([name, value]) => sayable(name, value, 'SEND', rule.version));
        const whole = [...encode('SEND', said, octets, rule.version)];
        for (const { at, octet, kind } of edits)
          whole.splice(at % whole.length, kind === 'add' ? 0 : 1, ...(kind === 'drop' ? [] : [octet]));
        const mutated = Uint8Array.from(whole);
        expect(readInChunks(mutated, sizes, rule)).toEqual(readAll(mutated, rule));
      },
    ),
    { numRuns: 5_000 },
  );
});
