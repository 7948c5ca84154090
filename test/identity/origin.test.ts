import { describe, expect, test } from 'vitest';
import { createOriginCheck } from '../../proxy/identity/index.ts';
import { request } from './support.ts';

const isAllowed = (allowed: readonly string[] | undefined, ...headers: string[]) =>
  createOriginCheck(allowed)(request(headers)) === undefined;

describe('without a list, pages of the same host', () => {
  test.each([
    ['app.example.com', 'https://app.example.com', true],
    ['app.example.com', 'http://app.example.com', true],
    ['app.example.com', 'HTTPS://APP.EXAMPLE.COM', true],
    ['APP.example.com', 'https://app.example.com', true],
    ['app.example.com:443', 'https://app.example.com', true],
    ['app.example.com', 'https://app.example.com:443', true],
    ['app.example.com:8080', 'http://app.example.com:8080', true],
    ['[::1]:8080', 'http://[::1]:8080', true],
    ['app.example.com:80', 'https://app.example.com', false],
    ['app.example.com:8080', 'http://app.example.com', false],
    ['app.example.com', 'http://app.example.com:8080', false],
    ['app.example.com', 'https://evil.example', false],
    ['app.example.com', 'https://app.example.com.evil.example', false],
    ['app.example.com', 'https://evilapp.example.com', false],
    ['app.example.com', 'https://sub.app.example.com', false],
    ['app.example.com', 'https://example.com', false],
    ['app.example.com', 'https://app.example.com.', false],
    ['app.example.com', 'https://app.example.com/', false],
    ['app.example.com', 'https://app.example.com@evil.example', false],
    ['app.example.com', 'https://evil.example#app.example.com', false],
    ['app.example.com', 'https://evil.example?app.example.com', false],
    ['app.example.com', 'https://evil.example\\app.example.com', false],
    ['app.example.com', 'app.example.com', false],
    ['app.example.com', '//app.example.com', false],
    ['app.example.com', 'null', false],
    ['null', 'null', false],
    ['app.example.com', '', false],
    ['app.example.com', '*', false],
    ['app.example.com', 'file://', false],
    ['localhost', 'capacitor://localhost', false],
    ['app.example.com', 'https://app.example.com https://evil.example', false],
  ])('at %s, %s: %s', (host, origin, allowed) => {
    expect(isAllowed(undefined, `Host: ${host}`, `Origin: ${origin}`)).toBe(allowed);
  });

  test('no Host or two of them match nothing', () => {
    expect(isAllowed(undefined, 'Origin: https://a')).toBe(false);
    expect(isAllowed(undefined, 'Host: a', 'Host: b', 'Origin: https://a')).toBe(false);
  });
});

describe('with a list, pages on it', () => {
  const listed = ['https://app.example.com', 'http://localhost:3000', 'capacitor://localhost'];

  test.each([
    ['https://app.example.com', true],
    ['https://App.Example.Com:443', true],
    ['http://localhost:3000', true],
    ['capacitor://localhost', true],
    ['http://app.example.com', false],
    ['https://app.example.com:8443', false],
    ['http://localhost', false],
    ['http://localhost:30000', false],
    ['https://sub.app.example.com', false],
    ['null', false],
    // The list is all there is: the proxy's own host must be on it too.
    ['https://own.example.com', false],
  ])('%s: %s', (origin, allowed) => {
    expect(isAllowed(listed, 'Host: own.example.com', `Origin: ${origin}`)).toBe(allowed);
  });
});

test.each(['https://anything.example', 'null', ''])('with * a page of %j may', (origin) =>
  expect(isAllowed(['*'], 'Host: a', `Origin: ${origin}`)).toBe(true),
);

test.each([undefined, ['*'], ['https://a']])('without Origin it is no browser: %j', (allowed) =>
  expect(isAllowed(allowed, 'Host: a')).toBe(true),
);

test.each([undefined, ['*'], ['https://a']])('two Origins are none: %j', (allowed) =>
  expect(isAllowed(allowed, 'Host: a', 'Origin: https://a', 'origin: https://a')).toBe(false),
);

test('the reason names no origin', () => {
  const reason = createOriginCheck(undefined)(request(['Host: a', 'Origin: https://evil.example']));
  expect(reason).toBe('pages of this origin may not connect; the key `origins` lists those that may');
});
