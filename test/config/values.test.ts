import { describe, expect, test } from 'vitest';
import { networkMatcher, parseHostPort, parseNetwork } from '../../proxy/config/addresses.ts';
import { parseKeySource, parseSource } from '../../proxy/config/source.ts';
import {
  count,
  countOrAuto,
  duration,
  durationMs,
  list,
  NotAllowed,
  size,
  sizeBytes,
} from '../../proxy/config/values.ts';
import { canonicalOrigin, keySetUrl, origin, urlTemplate } from '../../proxy/config/web.ts';

const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['50ms', 50],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('%s is %i ms', (text, ms) => expect(durationMs(text)).toBe(ms));

  test.each(['', '5', '5 s', '1.5s', '-1s', '5S', '5sec', 's', '5s ', '١s', '1e3ms'])('%j is none', (text) =>
    expect(durationMs(text)).toBeUndefined(),
  );

  test.each([
    ['99ms', false],
    ['100ms', true],
    ['1s', true],
    ['1001ms', false],
  ])('from 100ms to 1s: %s %s', (text, fits) => expect(accepts(duration('100ms', '1s'), text)).toBe(fits));

  test.each([5, '5'])('%j is told to have no unit', (value) => {
    const message = duration('0s', '1m').safeParse(value).error?.issues[0]?.message;
    expect(message).toBe('has no unit: it must be a whole number with its unit ms, s, m or h, from 0s to 1m');
  });
});

test.each([[['5']], [{ toString: 'no function' }], [Object.create(null)], [null]])('%j is no quantity', (value) => {
  const message = duration('0s', '1m').safeParse(value).error?.issues[0]?.message;
  expect(message).toBe('must be a whole number with its unit ms, s, m or h, from 0s to 1m');
});

describe('sizes', () => {
  test.each([
    ['1B', 1],
    ['64KiB', 65_536],
    ['256MiB', 268_435_456],
    ['1GiB', 1_073_741_824],
  ])('%s is %i bytes', (text, bytes) => expect(sizeBytes(text)).toBe(bytes));

  test.each(['64', '64KB', '64k', '64 KiB', '0.5MiB', '-1B'])('%j is none', (text) =>
    expect(sizeBytes(text)).toBeUndefined(),
  );

  test.each([
    ['1023B', false],
    ['1KiB', true],
    ['2KiB', true],
    ['2049B', false],
  ])('from 1KiB to 2KiB: %s %s', (text, fits) => expect(accepts(size('1KiB', '2KiB'), text)).toBe(fits));
});

test.each([
  [0, false],
  [1, true],
  [3, true],
  [4, false],
  [1.5, false],
  ['2', false],
  [Number.NaN, false],
])('a count from 1 to 3: %j %s', (value, fits) => expect(accepts(count(1, 3), value)).toBe(fits));

test.each([
  [0, 'wrong'],
  [1, 1],
  [3, 3],
  [4, 'wrong'],
  ['2', 'wrong'],
  ['many', 'wrong'],
  ['auto', 3],
])('a count from 1 to 3, or auto, where there are 5: %j %s', (value, expected) => {
  const { success, data } = countOrAuto(1, 3, () => 5).safeParse(value);
  expect(success ? data : 'wrong').toBe(expected);
});

test.each([
  [0, false],
  [1, true],
  [2, true],
  [3, false],
])('a list of at most 2: %i items %s', (length, fits) =>
  expect(
    accepts(
      list(count(1, 9), 2),
      Array.from({ length }, () => 1),
    ),
  ).toBe(fits),
);

describe('HOST:PORT', () => {
  test.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['chat-0.chat.default.svc:61613', { host: 'chat-0.chat.default.svc', port: 61_613 }],
  ])('%s', (text, parsed) => expect(parseHostPort(text)).toEqual(parsed));

  test.each(['8080', ':8080', 'host', 'host:', 'host:65536', '::1:80', '[host]:80', 'a b:1', 'http://a:1', '-a:1'])(
    '%s is none',
    (text) => expect(parseHostPort(text)).toBeUndefined(),
  );
});

describe('networks', () => {
  test.each(['10.0.0.0/33', '10.0.0/8', 'fe80::1%eth0/64', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/'])(
    '%s is none',
    (text) => expect(parseNetwork(text)).toBeUndefined(),
  );

  test.each([
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['::ffff:10.1.2.3', true],
    ['::ffff:11.1.2.3', false],
    ['fd00::1', true],
    ['fe00::1', false],
    ['fe80::1%eth0', false],
    ['192.168.7.7', true],
    ['192.168.7.8', false],
    ['', false],
    ['not an address', false],
  ])('%j in 10.0.0.0/8, fd00::/8, 192.168.7.7: %s', (address, inside) => {
    const networks = ['10.0.0.0/8', 'fd00::/8', '192.168.7.7'].flatMap((text) => parseNetwork(text) ?? []);
    expect(networkMatcher(networks)(address)).toBe(inside);
  });
});

describe('sources', () => {
  test.each([
    ['header:Username', { kind: 'header', name: 'Username' }],
    ['header:X-Forwarded-User', { kind: 'header', name: 'X-Forwarded-User' }],
    ['header:x-forwarded-preferred-username', { kind: 'header', name: 'x-forwarded-preferred-username' }],
    ['cookie:session-user', { kind: 'cookie', name: 'session-user' }],
    ['query:user', { kind: 'query', name: 'user' }],
    ['jwt', { kind: 'jwt', in: 'header' }],
    ['jwt:cookie:token', { kind: 'jwt', in: 'cookie', name: 'token' }],
    ['jwt:query:token', { kind: 'jwt', in: 'query', name: 'token' }],
    ['stomp-login', { kind: 'stomp-login' }],
    ['stomp-authorization', { kind: 'stomp-authorization' }],
  ])('%s', (text, source) => expect(parseSource(text)).toEqual(source));

  test.each([
    ...['', 'header', 'header:', 'header:a b', 'head:a', 'jwt:', 'jwt:header:x', 'jwt:cookie:', 'stomp-passcode'],
    ...['cookie:a=b', 'query:a&b', 'header:Cookie', 'header:authorization', 'header:HOST', 'header:X-Forwarded-For'],
    ...['header:Sec-WebSocket-Protocol', 'header:X-Forwarded-Users'],
  ])('%j is none', (text) => expect(() => parseSource(text)).toThrow(NotAllowed));

  test.each(['jwt', 'stomp-login', 'room', 'query:'])('%s is no source of a ring key', (text) =>
    expect(() => parseKeySource(text)).toThrow(NotAllowed),
  );
});

describe('the web', () => {
  test.each([
    ['https://App.Example.com', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:443', 'http://app.example.com:443'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['capacitor://localhost', 'capacitor://localhost'],
  ])('origin %s is %s', (text, canonical) => expect(canonicalOrigin(text)).toBe(canonical));

  test.each([
    ...['null', '', 'app.example.com', 'https://', 'https://app.example.com/', 'https://a@app.example.com'],
    ...[
      'https://app.example.com:65536',
      'https://a b',
      'https://app.example.com https://evil.example',
      'https://bücher.de',
    ],
  ])('%j is no origin', (text) => expect(canonicalOrigin(text)).toBeUndefined());

  test('patterns of origins are refused with the way out', () => {
    const message = origin().safeParse('https://*.example.com').error?.issues[0]?.message;
    expect(message).toContain('cannot hold a pattern');
  });

  test.each([
    ['https://login.example.com/keys', true],
    ['http://127.0.0.1:9/keys', true],
    ['http://localhost:9/keys', true],
    ['http://[::1]:9/keys', true],
    ['http://login.example.com/keys', false],
    ['http://127.0.0.1.evil.example/keys', false],
    ['http://localhost.evil.example/keys', false],
    ['https://me:secret@login.example.com/keys', false],
    ['ftp://login.example.com/keys', false],
    ['keys', false],
  ])('keys from %s: %s', (url, fits) => expect(accepts(keySetUrl(), url)).toBe(fits));

  test.each([
    ['http://{address}/users/{user}', true],
    ['https://{address}/{user}?d={destination}', true],
    ['http://{address}/messages', false],
    ['http://pod-1/{user}', false],
    ['http://{adress}/{user}', false],
    ['http://{address}.evil.example/{user}', false],
    ['{address}/{user}', false],
  ])('template %s: %s', (url, fits) => expect(accepts(urlTemplate(), url)).toBe(fits));
});
