import { describe, expect, test } from 'vitest';
import { connect, identifier, request } from './support.ts';

const user = (name: string, ringKey = name) => ({ kind: 'user', user: name, ringKey });
const denied = (status: number, reason: string) => ({ kind: 'denied', status, reason });
const NOBODY = denied(401, 'nothing in the request says who the user is');
const LATER = { kind: 'later' };

describe('each source at the upgrade', () => {
  test.each([
    ['header:Username', request(['username: alice']), user('alice')],
    ['header:Username', request(['Username: zo\xc3\xab']), user('zoë')],
    ['header:Username', request(), NOBODY],
    ['header:Username', request(['User_name: alice', 'User-name: alice']), NOBODY],
    ['header:Username', request(['Username:']), denied(403, 'the user name is empty')],
    ['header:Username', request(['Username: \xff']), denied(403, 'the header Username is no UTF-8')],
    ['header:Username', request(['Username: a', 'USERNAME: a']), denied(403, 'the header Username is given 2 times')],
    ['cookie:user', request(['Cookie: a=b; user=alice']), user('alice')],
    ['cookie:user', request(['Cookie: user=al%2Fi%20ce']), user('al/i ce')],
    ['cookie:user', request(['Cookie: a=b']), NOBODY],
    ['cookie:user', request(['Cookie: user=']), denied(403, 'the user name is empty')],
    ['cookie:user', request(['Cookie: user=%']), denied(403, 'the cookie user is no percent-encoded UTF-8')],
    ['cookie:user', request(['Cookie: user=%ff']), denied(403, 'the cookie user is no percent-encoded UTF-8')],
    ['cookie:user', request(['Cookie: user=a%0d%0ab']), denied(403, 'the user name holds a control character')],
    ['query:user', request([], { url: '/ws?user=alice' }), user('alice')],
    ['query:user', request([], { url: '/ws?user=al+i%2Fce#user=x' }), user('al i/ce')],
    ['query:user', request([], { url: '//evil/?user=alice' }), user('alice')],
    ['query:user', request([], { url: '/ws?users=alice' }), NOBODY],
    ['query:user', request([], { url: '/ws?user' }), denied(403, 'the user name is empty')],
    ['query:user', request([], { url: '/ws?user=a&user=b' }), denied(403, 'the query parameter user is given 2 times')],
    [
      'query:user',
      request([], { url: '/ws?user=%ff' }),
      denied(403, 'the user name holds a character that hides or reorders text'),
    ],
    ['query:__proto__', request(), NOBODY],
  ])('%s: %j', async (source, asked, verdict) => {
    expect(await identifier(['--user', source]).atUpgrade(asked)).toEqual(verdict);
  });
});

describe('each source in CONNECT', () => {
  test.each([
    ['present', connect([['login', 'alice']]), user('alice')],
    ['absent', connect(), NOBODY],
    ['empty', connect([['login', '']]), denied(403, 'the user name is empty')],
    ['illegal', connect([['login', 'a\nb']]), denied(403, 'the user name holds a control character')],
    [
      'repeated: the first, as STOMP says',
      connect([
        ['login', 'alice'],
        ['login', 'bob'],
      ]),
      user('alice'),
    ],
  ])('login %s', async (_, frame, verdict) => {
    const identity = identifier(['--user', 'stomp-login']);
    expect(await identity.atUpgrade(request())).toEqual(LATER);
    expect(await identity.atConnect(request(), frame)).toEqual(verdict);
  });
});

describe('the order of sources', () => {
  const both = request(['Username: header'], { url: '/ws?user=query' });

  test.each([
    ['header:Username,query:user', both, user('header')],
    ['query:user,header:Username', both, user('query')],
    ['header:Username,query:user', request([], { url: '/ws?user=query' }), user('query')],
    ['query:user,header:Username', request(['Username: header']), user('header')],
    // What is present and wrong does not fall through to a weaker source.
    [
      'header:Username,query:user',
      request(['Username:'], { url: '/ws?user=query' }),
      denied(403, 'the user name is empty'),
    ],
    ['query:user,header:Username', request(['Username:'], { url: '/ws?user=query' }), user('query')],
  ])('%s', async (sources, asked, verdict) => {
    expect(await identifier(['--user', sources]).atUpgrade(asked)).toEqual(verdict);
  });

  test('a source of HTTP before one of STOMP decides at the upgrade', async () => {
    const identity = identifier(['--user', 'header:Username,stomp-login']);
    expect(await identity.atUpgrade(request(['Username: alice']))).toEqual(user('alice'));
    expect(await identity.atUpgrade(request(['Username:']))).toEqual(denied(403, 'the user name is empty'));
    expect(await identity.atUpgrade(request())).toEqual(LATER);
    expect(await identity.atConnect(request(), connect([['login', 'bob']]))).toEqual(user('bob'));
  });

  test('a source of STOMP before one of HTTP makes the verdict wait', async () => {
    const identity = identifier(['--user', 'stomp-login,header:Username']);
    const asked = request(['Username: alice']);
    expect(await identity.atUpgrade(asked)).toEqual(LATER);
    expect(await identity.atConnect(asked, connect([['login', 'bob']]))).toEqual(user('bob'));
    expect(await identity.atConnect(asked, connect([['login', '']]))).toEqual(denied(403, 'the user name is empty'));
    expect(await identity.atConnect(asked, connect())).toEqual(user('alice'));
    expect(await identity.atConnect(request(), connect())).toEqual(NOBODY);
  });
});

describe('anonymous', () => {
  test('is a random user of its own, only when nothing names one', async () => {
    const identity = identifier(['--user', 'query:user', '--anonymous']);
    const [first, second] = [await identity.atUpgrade(request()), await identity.atUpgrade(request())];
    expect(first).toMatchObject({ kind: 'user', user: expect.stringMatching(/^anonymous-[0-9a-f-]{36}$/) });
    expect(first).not.toEqual(second);
    expect(await identity.atUpgrade(request([], { url: '/?user=alice' }))).toEqual(user('alice'));
    expect(await identity.atUpgrade(request([], { url: '/?user=' }))).toEqual(denied(403, 'the user name is empty'));
  });

  test('waits for CONNECT when that may name somebody, and needs no sources at all', async () => {
    const identity = identifier(['--user', 'stomp-login', '--anonymous']);
    expect(await identity.atUpgrade(request())).toEqual(LATER);
    expect(await identity.atConnect(request(), connect([['login', 'alice']]))).toEqual(user('alice'));
    expect(await identity.atConnect(request(), connect())).toMatchObject({ kind: 'user' });
    expect(await identifier(['--anonymous']).atUpgrade(request())).toMatchObject({ kind: 'user' });
  });
});

describe('trusted peers', () => {
  const argv = ['--user', 'header:Username,query:user', '--trusted-peers', '10.0.0.0/8'];
  const spoofed = ['Username: admin'];

  test.each([
    ['10.0.0.9', user('admin')],
    ['::ffff:10.0.0.9', user('admin')],
    ['11.0.0.9', user('alice')],
    ['::ffff:11.0.0.9', user('alice')],
    ['', user('alice')],
  ])('from %j', async (remoteAddress, verdict) => {
    expect(await identifier(argv).atUpgrade(request(spoofed, { remoteAddress, url: '/?user=alice' }))).toEqual(verdict);
  });

  test('a header of another peer is not even looked at', async () => {
    const asked = request(['Username: a', 'Username: b'], { remoteAddress: '11.0.0.9' });
    expect(await identifier(argv).atUpgrade(asked)).toEqual(NOBODY);
  });
});

describe('a ring key of its own', () => {
  const argv = ['--user', 'header:Username', '--ring-key'];

  test.each([
    ['query:room', request(['Username: alice'], { url: '/ws?room=lobby' }), user('alice', 'lobby')],
    ['cookie:room', request(['Username: alice', 'Cookie: room=lobby']), user('alice', 'lobby')],
    ['header:X-Room', request(['Username: alice', 'x-room: lobby']), user('alice', 'lobby')],
    ['query:room', request(['Username: alice']), denied(403, 'the ring key is missing in the request')],
    ['query:room', request(['Username: alice'], { url: '/?room=' }), denied(403, 'the ring key is empty')],
    ['query:room', request([], { url: '/?room=lobby' }), NOBODY],
  ])('%s', async (source, asked, verdict) => {
    expect(await identifier([...argv, source]).atUpgrade(asked)).toEqual(verdict);
  });

  test('in a header counts from trusted peers only', async () => {
    const identity = identifier(['--user', 'query:u', '--ring-key', 'header:X-Room', '--trusted-peers', '10.0.0.0/8']);
    const asked = request(['X-Room: lobby'], { url: '/?u=alice', remoteAddress: '11.0.0.1' });
    expect(await identity.atUpgrade(asked)).toEqual(denied(403, 'the ring key is missing in the request'));
  });

  test('is there for anonymous users and those of CONNECT too', async () => {
    const identity = identifier(['--user', 'stomp-login', '--anonymous', '--ring-key', 'query:room']);
    const asked = request([], { url: '/?room=lobby' });
    expect(await identity.atConnect(asked, connect())).toMatchObject({ ringKey: 'lobby' });
    expect(await identity.atConnect(asked, connect([['login', 'alice']]))).toEqual(user('alice', 'lobby'));
  });
});
