import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_URL } from '../../producer/http-transport.ts';
import { TemplateError, type TemplateValues, urlTemplate } from '../../producer/url-template.ts';

const VALUES: TemplateValues = { pod: 'pod-1', address: '10.0.0.1:8080', user: 'alice', destination: '/queue/x' };
const path = (change: Partial<TemplateValues>, template = DEFAULT_URL) =>
  urlTemplate(template)({ ...VALUES, ...change }).path;

describe('url template', () => {
  test.each([
    ['http://{address}/u/{user}?d={destination}', 'http://10.0.0.1:8080', '/u/alice?d=%2Fqueue%2Fx'],
    ['https://{pod}.app.svc:8443/{user}/{destination}', 'https://pod-1.app.svc:8443', '/alice/%2Fqueue%2Fx'],
    ['http://{pod}/a?u={user}&d={destination}&p={pod}', 'http://pod-1', '/a?u=alice&d=%2Fqueue%2Fx&p=pod-1'],
    ['http://{address}/{user}{destination}', 'http://10.0.0.1:8080', '/alice%2Fqueue%2Fx'],
    ['http://{address}/a%20b/{user}/{destination}/c', 'http://10.0.0.1:8080', '/a%20b/alice/%2Fqueue%2Fx/c'],
    ['http://{address}/?u={user}&d={destination}', 'http://10.0.0.1:8080', '/?u=alice&d=%2Fqueue%2Fx'],
  ])('%s', (template, origin, expected) => {
    expect(urlTemplate(template)(VALUES)).toEqual({ origin, path: expected });
  });

  test('an IPv6 address keeps its brackets', () => {
    expect(urlTemplate(DEFAULT_URL)({ ...VALUES, address: '[::1]:80' }).origin).toBe('http://[::1]:80');
  });

  test.each([
    ['a/b', '/users/a%2Fb/messages?'],
    ['a?b=c&d', '/users/a%3Fb%3Dc%26d/messages?'],
    ['a#b', '/users/a%23b/messages?'],
    ['100%', '/users/100%25/messages?'],
    ['%2e%2e', '/users/%252e%252e/messages?'],
    ['../admin', '/users/..%2Fadmin/messages?'],
    ['..\\admin', '/users/..%5Cadmin/messages?'],
    ["o'neill (x)!*", '/users/o%27neill%20%28x%29%21%2A/messages?'],
    ['ä漢', '/users/%C3%A4%E6%BC%A2/messages?'],
    ['a;b=c', '/users/a%3Bb%3Dc/messages?'],
    ['{user}', '/users/%7Buser%7D/messages?'],
    ['$&$1', '/users/%24%26%241/messages?'],
  ])('the user %s keeps to its place', (user, start) => expect(path({ user }).startsWith(start)).toBe(true));

  test.each(['.', '..'])('the user %s cannot stand in a path, but in a query', (user) => {
    expect(() => path({ user })).toThrow(TemplateError);
    expect(path({ user }, 'http://{address}/m?u={user}&d={destination}')).toBe(`/m?u=${user}&d=%2Fqueue%2Fx`);
    expect(path({ user }, 'http://{address}/m?/{user}/{destination}')).toBe(`/m?/${user}/%2Fqueue%2Fx`);
  });

  test.each([
    ['http://{address}/{user}', '..', false],
    ['http://{address}/{user}/', '.', false],
    ['http://{address}/.{user}', '.', false],
    ['http://{address}/%2E{user}/x', '.', false],
    ['http://{address}/u{user}', '..', true],
    ['http://{address}/{user}{user}', '.', false],
    ['http://{address}/{user}', '...', true],
    ['http://{address}/{user}/x', '.a', true],
  ])('%s takes the user %s: %s', (template, user, isTaken) => {
    const filled = () => path({ user }, `${template}?d={destination}`);
    if (!isTaken) return expect(filled).toThrow(TemplateError);
    const url = new URL(`http://h${filled()}`);
    expect(url.pathname + url.search).toBe(filled());
  });

  test('any user and destination come out of a URL parser as they went in', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(text, text, (user, destination) => {
        fc.pre(user !== '.' && user !== '..');
        const url = new URL(`http://h${path({ user, destination })}`);
        const segments = url.pathname.split('/').map(decodeURIComponent);
        expect(segments).toEqual(['', 'users', user, 'messages']);
        expect([...url.searchParams]).toEqual([['destination', destination]]);
      }),
    );
  });

  test.each([
    ['ftp://{address}/{user}{destination}', /must be http\(s\)/],
    ['http://{address}', /must be http\(s\)/],
    ['http://{address}/{user}#{destination}', /must be http\(s\)/],
    ['http://pod/{user}/{destination}', /host must have {address} or {pod}/],
    ['http://{user}.{address}/{destination}', /{user} cannot stand there/],
    ['http://{address}/{destination}', /{user} is missing/],
    ['http://{address}/{user}', /{destination} is missing/],
    ['http://{address}/a b/{user}/{destination}', /a URL parser makes \/a%20b\/user.* percent-encode/],
    ['http://{address}/a/../{user}/{destination}', /a URL parser makes \/user/],
    ['http://{address}/a\\b/{user}/{destination}', /a URL parser makes \/a\/b/],
    ['http://{address}^/{user}/{destination}', /it is no URL/],
    [
      'http://{address}/{user}/{destination}/{name}',
      /{name} cannot stand there; known are address, pod, user, destination/,
    ],
  ])('%s is an error that says why', (template, text) => {
    expect(() => urlTemplate(template)).toThrow(text);
    expect(() => urlTemplate(template)).toThrow(TypeError);
  });

  test.each(['evil.com/x:1', 'a@b:1', 'a:1?', 'a', ':1', 'a:1:2', '[::1', '[evil.com]:1'])(
    'the address %s is refused',
    (address) => {
      expect(() => path({ address })).toThrow(TemplateError);
    },
  );

  test('a pod name that is no host name is refused where it would be one', () => {
    expect(() => path({ pod: 'a/b' }, 'http://{pod}/{user}{destination}')).toThrow(TemplateError);
    expect(path({ pod: 'a/b' }, 'http://{address}/{pod}/{user}/{destination}')).toMatch(/^\/a%2Fb\//);
  });
});
