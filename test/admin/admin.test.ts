import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { AdminOptions, Door, Route } from '../../proxy/admin/index.ts';
import { findRoute } from '../../proxy/admin/route.ts';
import { closed } from '../producer/http-pod.ts';
import { type AdminHarness, json, startAdmin } from './harness.ts';

let harness: AdminHarness | undefined;
afterEach(async () => {
  await harness?.admin.close();
  harness = undefined;
});

async function admin(options: Partial<AdminOptions> = {}): Promise<AdminHarness> {
  harness = await startAdmin(options);
  return harness;
}

const route = (change: Partial<Route>): Route => ({
  method: 'GET',
  path: '/x',
  help: 'x',
  handle: () => {},
  ...change,
});
const door = (...routes: Partial<Route>[]): Door => ({ routes: routes.map(route), close: () => {} });

describe('the admin port', () => {
  test('lists what there is', async () => {
    const { url } = await admin({ doors: [door({ path: '/v1/ring', help: 'the rings' })] });
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    for (const path of ['/metrics', '/healthz', '/readyz', '/v1/sessions', '/v1/ring'])
      expect(text).toContain(`GET ${path} `);
  });

  test('/metrics is what Prometheus reads', async () => {
    const { url, metrics } = await admin();
    metrics.moves.inc(3);
    const response = await fetch(`${url}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(await response.text()).toContain('\nholdfast_moves_total 3\n');
  });

  test('/healthz', async () => {
    const { url } = await admin();
    expect(await json(await fetch(`${url}/healthz`))).toEqual({ status: 200, body: { status: 'ok' } });
  });

  test.each([
    [200, { ready: true, reasons: [] }],
    [200, { ready: true, reasons: ['topology is 90 s old'] }],
    [503, { ready: false, reasons: ['no pods are known yet'] }],
  ])('/readyz: %i for %j', async (status, readiness) => {
    const health = { readiness: () => readiness, sessions: () => ({ sessions: 0, byPod: {}, byState: {} }) };
    const { url } = await admin({ health });
    expect(await json(await fetch(`${url}/readyz`))).toEqual({ status, body: readiness });
  });

  test('/v1/sessions', async () => {
    const sessions = { sessions: 3, byPod: { a: 1, b: 2 }, byState: { live: 3 } };
    const { url } = await admin({
      health: { readiness: () => ({ ready: true, reasons: [] }), sessions: () => sessions },
    });
    expect(await json(await fetch(`${url}/v1/sessions`))).toEqual({ status: 200, body: sessions });
  });

  test('a path without anything, and a method that a path does not take', async () => {
    const { url } = await admin({ doors: [door({ method: 'POST', path: '/p' })] });
    expect(await json(await fetch(`${url}/nothing?x`))).toMatchObject({ status: 404, body: { error: 'not-found' } });
    const wrong = await fetch(`${url}/healthz`, { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await wrong.json()).toMatchObject({ error: 'method-not-allowed' });
    const post = await fetch(`${url}/p`);
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'POST']);
    await post.body?.cancel();
  });

  test('HEAD is GET without the body', async () => {
    const { url } = await admin();
    const response = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '16', '']);
  });

  test('nothing is kept by a cache or taken for a page', async () => {
    const { url } = await admin();
    const { headers } = await fetch(`${url}/healthz`);
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  });

  test('a handler that fails is a 500 that tells nothing, and a line in the log that does', async () => {
    const failing = () => {
      throw new Error('secret detail');
    };
    const { url, logged } = await admin({ doors: [door({ handle: failing })] });
    const { status, body } = await json(await fetch(`${url}/x`));
    expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining('secret')]);
    expect(JSON.stringify(logged)).toContain('secret detail');
  });

  test.each([
    ['http://evil.example', 403],
    ['null', 403],
    ['SELF', 200],
    [undefined, 200],
  ])('a POST from a page of the origin %s: %i', async (origin, status) => {
    const ok: Route['handle'] = ({ response }) => void response.end();
    const { url } = await admin({ doors: [door({ method: 'POST', path: '/p', handle: ok })] });
    const headers = origin === undefined ? {} : { origin: origin === 'SELF' ? url : origin };
    const request = httpRequest(`${url}/p`, { method: 'POST', headers });
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(status);
  });

  test('closing ends the doors and what is open', async () => {
    let doorClosed = false;
    const stuck = { ...door({}), close: () => (doorClosed = true) };
    const { url, admin: port } = await admin({ doors: [stuck] });
    const { hostname, port: number } = new URL(url);
    const idle = connect(Number(number), hostname);
    await once(idle, 'connect');
    const gone = closed(idle);
    await (await fetch(`${url}/healthz`)).text();
    await Promise.all([port.close(), gone]);
    expect(doorClosed).toBe(true);
    await expect(fetch(url)).rejects.toThrow();
    await port.close();
  });

  test('an address that is taken is an error', async () => {
    const { url } = await admin();
    await expect(startAdmin({}, Number(new URL(url).port))).rejects.toThrow('EADDRINUSE');
  });
});

describe('finding a route', () => {
  const routes = [route({ path: '/' }), route({ method: 'POST', path: '/v1/users/{user}/messages' })];
  const user = (segment: string) => findRoute(routes, 'POST', `/v1/users/${segment}/messages?destination=/q%3F`).params;

  test.each([
    ['alice', 'alice'],
    ['a%2Fb', 'a/b'],
    ['%2e%2e', '..'],
    ['..', '..'],
    ['100%25', '100%'],
    ['%252F', '%2F'],
    ['a+b', 'a+b'],
    ['%C3%A4', 'ä'],
  ])('the segment %s is the user %s: decoded once', (segment, expected) => {
    expect(user(segment)).toEqual({ user: expected });
  });

  test('the query is read as a form', () => {
    const { query } = findRoute(routes, 'GET', '/?a=1%26b&c=%2F?x+y');
    expect([...query]).toEqual([
      ['a', '1&b'],
      ['c', '/?x y'],
    ]);
  });

  test.each([
    ['/v1/users//messages', 404],
    ['/v1/users/a/b/messages', 404],
    ['/v1/users/a/messages/', 404],
    ['//', 404],
    ['', 404],
    ['/v1/users/%ff/messages', 400],
    ['/v1/users/%/messages', 400],
  ])('%s is a %i', (url, status) => {
    expect(() => findRoute(routes, 'POST', url)).toThrow(expect.objectContaining({ status }));
  });
});
