import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UpgradeRequest } from '../../proxy/identity/index.ts';
import { identifier, request } from './support.ts';

/** Name and value of each header, as lines. */
function lines(rawHeaders: readonly string[]): string[] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, i) => `${rawHeaders[2 * i]}: ${rawHeaders[2 * i + 1]}`);
}

function upstream(argv: readonly string[], asked: UpgradeRequest, user = 'alice'): string[] {
  return lines(identifier(argv).upstreamHeaders(asked, user));
}

const FORWARDED = ['x-forwarded-for: 10.0.0.9', 'x-forwarded-proto: http'];

test('an upgrade is replayed without what belongs to this hop', () => {
  const asked = request([
    'Host: chat.example.com',
    'Connection: Upgrade, X-Debug',
    'Upgrade: websocket',
    'Origin: https://chat.example.com',
    'Sec-WebSocket-Key: x',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: v12.stomp',
    'Sec-WebSocket-Extensions: permessage-deflate',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Keep-Alive: 1',
    'TE: trailers',
    'Trailer: x',
    'Proxy-Authorization: Basic x',
    'Proxy-Connection: close',
    'X-Debug: 1',
    'Cookie: a=1',
    'cookie: b=2',
    'Authorization: Bearer t',
    'User-Agent: test',
    'Accept-Language: de',
  ]);
  expect(upstream(['--user', 'jwt', '--jwt-decode-only'], asked)).toEqual([
    'Cookie: a=1',
    'cookie: b=2',
    'Authorization: Bearer t',
    'User-Agent: test',
    'Accept-Language: de',
    'holdfast-user: alice',
    ...FORWARDED,
    'x-forwarded-host: chat.example.com',
  ]);
});

describe('what a client may not say', () => {
  const spoofs = [
    ...['holdfast-user', 'Holdfast-User', 'HOLDFAST-USER', 'holdfast_user', 'Holdfast_User'],
    ...['holdfast-anything', 'HOLDFAST_replay', 'username', 'USERNAME', 'X-User', 'x_user', 'X_USER'],
  ];

  test.each(spoofs)('%s', (name) => {
    const argv = ['--user', 'query:u,header:Username,header:X-User'];
    expect(upstream(argv, request([`${name}: admin`]))).toEqual([
      'holdfast-user: alice',
      'Username: alice',
      'X-User: alice',
      ...FORWARDED,
    ]);
  });

  test('nor take away what is set, by listing it in Connection', () => {
    const asked = request(['Connection: holdfast-user, x-forwarded-for, Username, cookie', 'Cookie: a=1']);
    expect(upstream(['--user', 'header:Username'], asked)).toEqual([
      'holdfast-user: alice',
      'Username: alice',
      ...FORWARDED,
    ]);
  });

  test('in whatever case and whichever of - and _ it is written', () => {
    const identity = identifier(['--user', 'header:X-End-User', '--identity-header', 'x-who']);
    const letters = fc.constantFrom('holdfast-user', 'x-end-user', 'x-who', 'holdfast-replay');
    const spoof = fc.tuple(letters, fc.infiniteStream(fc.nat(2))).map(([name, changes]) =>
      [...name]
        .map((letter) => {
          const change = changes.next().value;
          return change === 0 ? letter : change === 1 ? letter.toUpperCase() : letter.replace('-', '_');
        })
        .join(''),
    );
    fc.assert(
      fc.property(fc.array(spoof), (names) => {
        const sent = identity.upstreamHeaders(request(names.map((name) => `${name}: admin`)), 'alice');
        expect(lines(sent)).toEqual(['x-who: alice', 'X-End-User: alice', ...FORWARDED]);
      }),
    );
  });
});

test('a header that is source and identity header at once is set once', () => {
  const argv = ['--user', 'header:X-User', '--identity-header', 'x-user'];
  expect(upstream(argv, request(['X-User: bob']))).toEqual(['X-User: alice', ...FORWARDED]);
});

test('names are sent as UTF-8 bytes', () => {
  expect(upstream(['--anonymous'], request(), 'zoë')[0]).toBe('holdfast-user: zo\xc3\xab');
});

describe('forwarded headers', () => {
  const sent = [
    'X-Forwarded-For: 1.1.1.1, 2.2.2.2',
    'x-forwarded-for: 3.3.3.3',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: chat.example.com',
    'X-Forwarded-Port: 443',
    'X_Forwarded_For: 9.9.9.9',
    'Forwarded: for=1.1.1.1',
    'Host: 10.0.0.1',
  ];
  const argv = ['--anonymous', '--trusted-peers', '10.0.0.0/8,fd00::/8'];

  test('of a trusted peer are carried on, with the peer added', () => {
    expect(upstream(argv, request(sent))).toEqual([
      'X-Forwarded-Port: 443',
      'holdfast-user: alice',
      'x-forwarded-for: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9',
      'x-forwarded-proto: https',
      'x-forwarded-host: chat.example.com',
      'forwarded: for=1.1.1.1, for=10.0.0.9',
    ]);
  });

  test('of a trusted peer do not name another user to a pod that reads one from them', () => {
    const asked = request(['X-Forwarded-User: mallory', 'X_Forwarded_User: mallory']);
    const given = upstream(['--user', 'stomp-login', '--user', 'header:X-Forwarded-User'], asked);
    expect(given).toEqual(['holdfast-user: alice', 'X-Forwarded-User: alice', ...FORWARDED]);
  });

  test('of another peer are replaced', () => {
    expect(upstream(argv, request(sent, { remoteAddress: '::ffff:11.0.0.9', encrypted: true })).slice(1)).toEqual([
      'x-forwarded-for: 11.0.0.9',
      'x-forwarded-proto: https',
      'x-forwarded-host: 10.0.0.1',
    ]);
  });

  test('of a trusted peer with IPv6 are written as RFC 7239 wants them', () => {
    const asked = request(['Forwarded: for=1.1.1.1'], { remoteAddress: 'fd00::1' });
    expect(upstream(argv, asked).at(-1)).toBe('forwarded: for=1.1.1.1, for="[fd00::1]"');
  });
});

describe('a ring key in a header', () => {
  const argv = ['--anonymous', '--ring-key', 'header:X-Room', '--trusted-peers', '10.0.0.0/8'];

  test('of a trusted peer stays', () => expect(upstream(argv, request(['X-Room: lobby']))[0]).toBe('X-Room: lobby'));

  test('of another does not', () => {
    const asked = request(['X_Room: lobby'], { remoteAddress: '11.0.0.9' });
    expect(upstream(argv, asked)[0]).toBe('holdfast-user: alice');
  });
});

test('a plain request keeps what the HTTP proxy needs, and gets the same identity', () => {
  const asked = request([
    'Host: a',
    'Content-Length: 3',
    'Connection: close',
    'Holdfast-User: bob',
    'Origin: https://a',
  ]);
  expect(lines(identifier(['--anonymous']).requestHeaders(asked, 'alice'))).toEqual([
    ...['Host: a', 'Content-Length: 3', 'Connection: close', 'Origin: https://a'],
    ...['holdfast-user: alice', ...FORWARDED, 'x-forwarded-host: a'],
  ]);
});

describe('in STOMP', () => {
  const { set, drop } = identifier(['--anonymous', '--identity-header', 'x-who']).connectHeaders('a:b');

  test('the identity header is set', () => expect(set).toEqual([['x-who', 'a:b']]));

  test.each([
    ...['x-who', 'X-Who', 'X_WHO', 'holdfast-user', 'Holdfast-Seq', 'holdfast_id', 'user', 'USER'],
    ...['simpUser', 'simpSessionId', 'SimpMessageType'],
  ])('%s of a client is dropped', (name) => expect(drop(name)).toBe(true));

  test.each(['login', 'passcode', 'destination', 'username', 'x-who-else', 'content-type'])('%s stays', (name) =>
    expect(drop(name)).toBe(false),
  );
});
