import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type UpgradeRequest, upgradeRequest } from '../../proxy/identity/index.ts';
import { cookieValue, headerValues } from '../../proxy/identity/request.ts';
import { request } from './support.ts';

describe('cookies', () => {
  test.each([
    ['u=alice', 'alice'],
    ['a=1; u=alice; b=2', 'alice'],
    ['a=1;u=alice;b=2', 'alice'],
    ['  u = alice ; b=2', 'alice'],
    ['u="alice"', 'alice'],
    ['u="alice', '"alice'],
    ['u=a"b"c', 'a"b"c'],
    ['u=""', ''],
    ['u=', ''],
    ['u=a=b=c', 'a=b=c'],
    ['u=alice; u=bob', 'alice'],
    ['U=alice', undefined],
    ['xu=alice', undefined],
    ['u', undefined],
    ['=alice', undefined],
    ['', undefined],
    [';;;', undefined],
    ['a="; u=alice"', 'alice"'],
    ['__proto__=x', undefined],
  ])('u in %j is %j', (header, value) => expect(cookieValue(request([`Cookie: ${header}`]), 'u')).toBe(value));

  test('of several headers the first wins', () => {
    expect(cookieValue(request(['Cookie: a=1', 'cookie: u=alice', 'COOKIE: u=bob']), 'u')).toBe('alice');
  });
});

test('each copy of a header is seen, in any case', () => {
  expect(headerValues(request(['A: 1', 'b: 2', 'a: 3']), 'A')).toEqual(['1', '3']);
});

test('of a request of node everything that identity needs is copied', async () => {
  const { promise, resolve } = Promise.withResolvers<UpgradeRequest>();
  const server = createServer((message, response) => {
    resolve(upgradeRequest(message));
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  get({ port, host: '127.0.0.1', path: '/ws?room=1', headers: { Username: ['alice', 'bob'] } }, (response) =>
    response.resume(),
  );
  const asked = await promise;
  server.close();
  server.closeAllConnections();
  expect(asked).toMatchObject({ url: '/ws?room=1', remoteAddress: '127.0.0.1', encrypted: false });
  expect(headerValues(asked, 'username')).toEqual(['alice', 'bob']);
});
