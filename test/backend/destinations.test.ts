import { describe, expect, test } from 'vitest';
import { sendTarget, subscribeKind, userAddress } from '../../backend/destinations.ts';
import { Refusal } from '../../backend/refusal.ts';

describe('what a SUBSCRIBE listens to', () => {
  test.each([
    ['/user/queue/x', 'user'],
    ['/user/x', 'user'],
    ['/topic/x', 'topic'],
    ['/topic/a/b', 'topic'],
    ['/app/whoami', 'whoami'],
  ])('%s is %s', (destination, kind) => expect(subscribeKind(destination)).toBe(kind));

  test.each([
    '',
    '/',
    '/user',
    '/user/',
    '/topic',
    '/topic/',
    '/app/echo',
    '/app/whoami/x',
    '/queue/x',
    'topic/x',
    '/Topic/x',
  ])('%j is refused', (destination) => expect(() => subscribeKind(destination)).toThrow(Refusal));
});

describe('where a SEND goes', () => {
  test.each([
    ['/topic/x', { kind: 'topic', destination: '/topic/x' }],
    ['/user/alice/queue/x', { kind: 'user', user: 'alice', destination: '/user/queue/x' }],
    ['/user/a%2Fb/queue/x', { kind: 'user', user: 'a/b', destination: '/user/queue/x' }],
    ['/user/50%25/queue/x', { kind: 'user', user: '50%25', destination: '/user/queue/x' }],
    ['/user/alice/x', { kind: 'user', user: 'alice', destination: '/user/x' }],
    ['/app/echo', { kind: 'echo' }],
    ['/app/echo/1', { kind: 'echo' }],
    ['/app/whoami', { kind: 'whoami' }],
  ])('%s', (destination, target) => expect(sendTarget(destination)).toEqual(target));

  test.each([
    '',
    '/',
    '/user/',
    '/user//queue/x',
    '/user/alice',
    '/user/alice/',
    '/topic/',
    '/app/',
    '/app/other',
    '/queue/x',
  ])('%j is refused', (destination) => expect(() => sendTarget(destination)).toThrow(Refusal));
});

test('no user name leads to the address of another user', () => {
  expect(userAddress('b', '/user/queue/a')).not.toBe(userAddress('a', '/user/queue/b'));
  expect(userAddress('ba', '/user/queue/')).not.toBe(userAddress('a', '/user/queue/b'));
  expect(userAddress('/user/queue/x', '/user/q')).not.toBe(userAddress('q', '/user/queue/x'));
});
