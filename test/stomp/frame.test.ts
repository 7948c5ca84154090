import { describe, expect, test } from 'vitest';
import { encode, type Frame, frameOf, rewrite, type Version } from '../../stomp/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (octets: Uint8Array) => new TextDecoder().decode(octets);
const lines = (frame: Frame) => Array.from(frame.headerLines(), text);

describe('headers of a frame', () => {
  test('the first of a name wins, the others are kept in order', () => {
    const frame = frameOf(bytes('MESSAGE\nfoo:World\nbar:x\nfoo:Hello\n\n\0'), 'server');
    expect(frame.header('foo')).toBe('World');
    expect([...frame.headers()]).toEqual([
      ['foo', 'World'],
      ['bar', 'x'],
      ['foo', 'Hello'],
    ]);
    expect([...frame.headerNames()]).toEqual(['foo', 'bar', 'foo']);
    expect(lines(frame)).toEqual(['foo:World', 'bar:x', 'foo:Hello']);
  });

  test('the line is split at its first colon', () => {
    expect(frameOf(bytes('MESSAGE\nurl:ws://a:1/\nempty:\n\n\0'), 'server').header('url')).toBe('ws://a:1/');
    expect(frameOf(bytes('MESSAGE\nurl:ws://a:1/\nempty:\n\n\0'), 'server').header('empty')).toBe('');
  });

  test('a name is found whole and as it is written', () => {
    const frame = frameOf(bytes('MESSAGE\nlonger:1\nlong:2\nLong:3\n\n\0'), 'server');
    expect(['long', 'Long', 'lon', 'longer', ''].map((name) => frame.header(name))).toEqual([
      '2',
      '3',
      undefined,
      '1',
      undefined,
    ]);
  });

  test('names of object members are names like others', () => {
    const frame = frameOf(bytes('SEND\n__proto__:evil\nconstructor:c\n\n\0'), 'client');
    expect(frame.header('__proto__')).toBe('evil');
    expect(frame.header('constructor')).toBe('c');
    expect(frame.header('toString')).toBeUndefined();
    expect([...frame.headers()]).toContainEqual(['__proto__', 'evil']);
    expect(({} as Record<string, unknown>)['evil']).toBeUndefined();
  });

  test('a name with an escape, outside ASCII, or not UTF-8 at all', () => {
    const raw = Uint8Array.from([...bytes('MESSAGE\na\\cb:1\né:2\n'), 0xff, ...bytes(':\u00fe\n\n\0')]);
    const frame = frameOf(raw, 'server');
    expect(['a:b', 'é', '\ufffd', 'a\\cb'].map((name) => frame.header(name))).toEqual(['1', '2', 'þ', undefined]);
  });

  test('a byte order mark belongs to the value', () => {
    expect(frameOf(bytes('SEND\na:\ufeffx\n\n\0'), 'client').header('a')).toBe('\ufeffx');
  });

  const read = (version: Version, command: string, line: string) =>
    frameOf(bytes(`${command}\n${line}\n\n\0`), 'server', version).header('k');

  test.each<[version: Version, command: string, line: string, value: string]>([
    ['1.2', 'MESSAGE', 'k:a\\nb\\cc\\\\d\\re', 'a\nb:c\\d\re'],
    ['1.1', 'MESSAGE', 'k:a\\nb\\cc\\\\d\\re', 'a\nb:c\\d\\re'],
    ['1.0', 'MESSAGE', 'k:a\\nb\\cc\\\\d\\re', 'a\\nb\\cc\\\\d\\re'],
    ['1.2', 'MESSAGE', 'k:\\\\n', '\\n'],
    ['1.2', 'MESSAGE', 'k:a\\tb\\', 'a\\tb\\'],
    ['1.2', 'CONNECTED', 'k:a\\cb', 'a\\cb'],
    ['1.0', 'MESSAGE', 'k: \t v w \t', 'v w'],
    ['1.0', 'MESSAGE', 'k:  ', ''],
    ['1.1', 'MESSAGE', 'k: v ', ' v '],
    ['1.2', 'MESSAGE', 'k: v ', ' v '],
  ])('%s %s: %j', (version, command, line, value) => {
    expect(read(version, command, line)).toBe(value);
  });
});

describe('encode', () => {
  test.each<[what: string, wire: Uint8Array, expected: string]>([
    ['no body', encode('ACK', { id: '1' }), 'ACK\nid:1\n\n\0'],
    ['no headers', encode('DISCONNECT'), 'DISCONNECT\n\n\0'],
    ['a text body', encode('SEND', { a: 1 }, 'é'), 'SEND\na:1\ncontent-length:2\n\né\0'],
    ['an empty body', encode('SEND', {}, ''), 'SEND\ncontent-length:0\n\n\0'],
    [
      'a given content-length',
      encode('SEND', { 'content-length': 1, a: 'b' }, 'x'),
      'SEND\ncontent-length:1\na:b\n\nx\0',
    ],
    ['undefined values are left out', encode('SEND', { a: undefined, b: 'c' }), 'SEND\nb:c\n\n\0'],
    ['pairs in order, repeated', encode('SEND', new Map([['b', '1']])), 'SEND\nb:1\n\n\0'],
    [
      'pairs repeated',
      encode('SEND', [
        ['b', '1'],
        ['b', '2'],
      ]),
      'SEND\nb:1\nb:2\n\n\0',
    ],
    ['1.2 escapes', encode('SEND', { 'a:b': '\n:\\\r' }), 'SEND\na\\cb:\\n\\c\\\\\\r\n\n\0'],
    ['1.1 escapes', encode('SEND', { 'a:b': '\n:\\\r' }, undefined, '1.1'), 'SEND\na\\cb:\\n\\c\\\\\r\n\n\0'],
    ['1.0 escapes nothing', encode('SEND', { a: 'b:c\\' }, undefined, '1.0'), 'SEND\na:b:c\\\n\n\0'],
    ['CONNECT escapes nothing', encode('CONNECT', { a: 'b:c\\' }), 'CONNECT\na:b:c\\\n\n\0'],
    ['__proto__', encode('SEND', JSON.parse('{"__proto__":"x"}')), 'SEND\n__proto__:x\n\n\0'],
  ])('%s', (_, wire, expected) => {
    expect(text(wire)).toBe(expected);
  });

  test('a binary body stands as it is', () => {
    const body = Uint8Array.of(0, 255, 10, 0);
    expect([...frameOf(encode('SEND', {}, body), 'client').body]).toEqual([...body]);
  });

  test.each<[what: string, make: () => Uint8Array]>([
    ['a command that is none', () => encode('SEND\nx', {})],
    ['no command', () => encode('', {})],
    ['an empty name', () => encode('SEND', { '': 'x' })],
    ['NUL in a value', () => encode('SEND', { a: 'x\0' })],
    ['NUL in a name', () => encode('SEND', { 'a\0': 'x' })],
    ['LF in a value of CONNECT', () => encode('CONNECT', { login: 'a\nb' })],
    ['CR in a value of CONNECT', () => encode('CONNECT', { login: 'a\r' })],
    ['NUL in a value of CONNECT', () => encode('CONNECT', { login: 'a\0' })],
    ['a colon in a name of CONNECT', () => encode('CONNECT', { 'a:b': 'c' })],
    ['LF in 1.0', () => encode('SEND', { a: 'b\nc' }, undefined, '1.0')],
    ['blanks round a name in 1.0', () => encode('SEND', { 'a ': 'b' }, undefined, '1.0')],
    ['a wrong content-length', () => encode('SEND', { 'content-length': 3 }, 'ab')],
    ['a content-length without a body', () => encode('SEND', { 'content-length': 3 })],
  ])('refuses %s', (_, make) => {
    expect(make).toThrow(RangeError);
  });

  test('a refusal does not tell the value', () => {
    expect(() => encode('CONNECT', { passcode: 'se\ncret' })).toThrow(
      "header 'passcode' of CONNECT in STOMP 1.2 contains CR or LF, which have no escape here",
    );
  });
});

describe('rewrite', () => {
  const raw = 'MESSAGE\nsubscription:7\nx:\\c\\q \nx:2\ncontent-length:3\n\na\0b\0';
  const frame = frameOf(bytes(raw), 'server');

  test.each<[what: string, change: Parameters<typeof rewrite>[1], expected: string]>([
    ['nothing', {}, raw],
    ['a header in front', { add: { subscription: 'sub:1' } }, raw.replace('\n', '\nsubscription:sub\\c1\n')],
    ['drop', { drop: (name) => name === 'subscription' }, raw.replace('subscription:7\n', '')],
    ['drop all of a name', { drop: (name) => name === 'x' }, 'MESSAGE\nsubscription:7\ncontent-length:3\n\na\0b\0'],
    ['content-length stays with the body', { drop: () => true }, 'MESSAGE\ncontent-length:3\n\na\0b\0'],
    ['the command', { command: 'ERROR' }, raw.replace('MESSAGE', 'ERROR')],
  ])('%s', (_, change, expected) => {
    expect(text(rewrite(frame, change))).toBe(expected);
  });

  test('what is replaced is found first', () => {
    const changed = frameOf(rewrite(frame, { drop: (name) => name === 'x', add: { x: 'new' } }), 'server');
    expect(changed.header('x')).toBe('new');
  });

  test('names are dropped by what they mean', () => {
    const escaped = frameOf(bytes('MESSAGE\na\\cb:1\n\n\0'), 'server');
    expect(text(rewrite(escaped, { drop: (name) => name === 'a:b' }))).toBe('MESSAGE\n\n\0');
  });

  test('line ends of 1.2 become LF, a CR that belongs to a value of 1.1 stays', () => {
    const of12 = frameOf(bytes('SEND\r\na:b\r\n\r\nx\0'), 'client', '1.2');
    const of11 = frameOf(bytes('SEND\na:b\r\n\nx\0'), 'client', '1.1');
    expect(text(rewrite(of12, { add: { c: 'd' } }))).toBe('SEND\nc:d\na:b\n\nx\0');
    expect(text(rewrite(of11, { add: { c: 'd' } }))).toBe('SEND\nc:d\na:b\r\n\nx\0');
  });

  test('what is added follows the version given, else that of the frame', () => {
    const of11 = frameOf(bytes('SEND\n\n\0'), 'client', '1.1');
    expect(text(rewrite(of11, { add: { c: 'a\rb' } }))).toBe('SEND\nc:a\rb\n\n\0');
    expect(text(rewrite(of11, { add: { c: 'a\rb' } }, '1.2'))).toBe('SEND\nc:a\\rb\n\n\0');
  });

  test('octets that are not UTF-8 stay', () => {
    const odd = Uint8Array.from([...bytes('MESSAGE\nk:'), 0xff, 0xfe, ...bytes('\n\n'), 0xc3, 0]);
    const kept = rewrite(frameOf(odd, 'server'), { drop: (name) => name === 'none' });
    expect([...kept]).toEqual([...odd]);
  });

  test('refuses what the frame cannot carry', () => {
    expect(() => rewrite(frame, { add: { a: '\0' } })).toThrow(RangeError);
    expect(() => rewrite(frame, { add: { 'content-length': 2 } })).toThrow(RangeError);
    expect(() => rewrite(frame, { command: 'MESS AGE' })).toThrow(RangeError);
  });
});
