/** Discovery from Kubernetes against the fake API server over TLS, through every fault. Minutes pass in seconds (FastClock). */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FakeApi, makeAuthority, SliceController, SliceHistory } from './fake-api/index.ts';
import { A, AB, begin, C, ONLY_A, PORTS, running } from './kubernetes-world.ts';

describe('after a fault, the source converges to the truth', () => {
  const eachWatch = (api: FakeApi) => [...api.watches];

  it.each<[string, (api: FakeApi) => void, string | undefined]>([
    ['the watch ends cleanly', (api) => eachWatch(api).map((watch) => watch.end()), undefined],
    [
      'the watch is reset',
      (api) => eachWatch(api).map((watch) => watch.reset()),
      'the connection to the Kubernetes API',
    ],
    ['410 in the stream', (api) => eachWatch(api).map((watch) => watch.error(410)), 'too old (410)'],
    ['500 in the stream', (api) => eachWatch(api).map((watch) => watch.error(500)), 'answered 500'],
    ['a broken line', (api) => eachWatch(api).map((watch) => watch.raw('{"type":"ADDED","obj\n')), 'cannot be read'],
    [
      'an unknown event',
      (api) => eachWatch(api).map((watch) => watch.line({ type: 'NEWS' })),
      'type "NEWS" is unknown',
    ],
    [
      'an object that is none',
      (api) => eachWatch(api).map((watch) => watch.line({ type: 'ADDED', object: { kind: 'Pod' } })),
      'metadata is not an object',
    ],
    [
      'a line of 9 MB',
      (api) => eachWatch(api).map((watch) => watch.raw('x'.repeat(9_000_000))),
      'a line is longer than 8388608 bytes',
    ],
    [
      'the watch ends within a line',
      (api) => {
        for (const watch of api.watches) {
          watch.raw('{"type":');
          watch.end();
        }
      },
      'it ended within a line',
    ],
    [
      'silence of the watch',
      (api) => eachWatch(api).map((watch) => watch.silence()),
      'the watch told nothing for 90 s',
    ],
  ])('%s', async (_what, fault, message) => {
    const { api, controller, recorder, status } = await running();
    fault(api);
    controller.set({ ...A, deleting: true }, C);
    controller.remove('uid-b');
    await recorder.untilPods('~a=10.0.0.1:8080 c=10.0.0.3:8080');
    if (message === undefined) expect(status().failures).toBe(0);
    else expect(recorder.warnings).toEqual([expect.stringContaining(message)]);
  });

  it.each<[string, (api: FakeApi) => void, string]>([
    ['a watch refused with 429', (api) => api.fail('watch', { status: 429, retryAfter: 2 }), 'answered 429'],
    ['a watch refused with 503', (api) => api.fail('watch', { status: 503 }, 3), 'answered 503'],
    [
      'a watch refused with 403',
      (api) => api.fail('watch', { status: 403, message: 'no' }),
      'bind a Role in namespace shop',
    ],
    ['a watch cut off', (api) => api.fail('watch', { cut: true }, 3), 'the connection to the Kubernetes API'],
    ['a watch without an answer', (api) => api.fail('watch', { hang: true }), 'no answer within 30 s'],
    [
      'a slow watch',
      (api) => {
        api.fail('watch', { status: 500, message: 'first' });
        api.fail('watch', { delayMs: 50 });
      },
      'it says: first',
    ],
    [
      'lists that fail after 410',
      (api) => {
        api.fail('watch', { status: 410 });
        api.fail('list', { status: 500 }, 2);
        api.fail('list', { body: '<html>' });
        api.fail('list', { body: '{"kind":"PodList","metadata":{"resourceVersion":"1"}}' });
        api.fail('list', { cut: true });
        api.fail('list', { delayMs: 20 });
      },
      'it is no EndpointSliceList',
    ],
    [
      'a list that asks for patience',
      (api) => {
        api.fail('watch', { status: 410 });
        api.fail('list', { status: 429, retryAfter: 5 });
      },
      'answered 429',
    ],
  ])('%s', async (_what, fault, message) => {
    const { api, controller, recorder } = await running();
    fault(api);
    for (const watch of api.watches) watch.end();
    controller.set(C);
    controller.remove('uid-b');
    await recorder.untilPods('a=10.0.0.1:8080 c=10.0.0.3:8080');
    expect(recorder.warnings.join()).toContain(message);
    await recorder.untilLine('the Kubernetes API answers again');
  });

  it.each(['http', 'stream'] as const)('the version is too old: 410 as %s', async (gone) => {
    const { api, controller, recorder, status } = await running();
    api.gone = gone;
    for (const watch of api.watches) watch.silence();
    controller.remove('uid-b');
    api.history.compact();
    for (const watch of api.watches) watch.reset();
    await recorder.untilPods(ONLY_A);
    expect(status().relists).toBe(2);
  });

  it('a list of many pages', async () => {
    const { api, recorder, source, status } = await begin();
    api.pageSize = 1;
    recorder.start(source);
    await recorder.untilPods(AB);
    expect(api.count('list')).toBe(2);
    expect(status()).toMatchObject({ relists: 1, failures: 0 });
  });

  it('a list whose later page is too old is asked for in one answer', async () => {
    const { api, recorder, source } = await begin();
    api.pageSize = 1;
    api.fail('list', { delayMs: 0 });
    api.fail('list', { status: 410 });
    recorder.start(source);
    await recorder.untilPods(AB);
    const lists = api.requests.filter((request) => request.verb === 'list').map(({ query }) => query);
    expect(lists.map((query) => [query.get('limit'), query.has('continue')])).toEqual([
      ['500', false],
      ['500', true],
      [null, false],
    ]);
  });

  it('lines that come byte by byte, cut inside of characters', async () => {
    const { api, recorder } = await running();
    api.chunkBytes = 1;
    for (const watch of api.watches) watch.end();
    await api.until((api) => api.count('watch') === 2 && api.watches.size === 1);
    const endpoint = { addresses: ['10.0.0.9'], zone: 'zürich-東京-🌊', targetRef: { name: 'z', uid: 'uid-z' } };
    const ports = [{ name: 'stomp', port: 8080, protocol: 'TCP' }];
    api.history.apply({ name: 'extra', service: 'backend', addressType: 'IPv4', endpoints: [endpoint], ports });
    await recorder.untilPods(`${AB} z=10.0.0.9:8080`);
    expect(recorder.warnings).toEqual([]);
  });

  it('a slice of 1000 endpoints, the most that there can be', async () => {
    const { api, recorder } = await running();
    const endpoints = Array.from({ length: 1000 }, (_, i) => ({
      addresses: [`10.1.${i >> 8}.${i & 255}`],
      targetRef: { name: `p-${i}`, uid: `uid-${i}` },
    }));
    const ports = [{ name: 'stomp', port: 8080, protocol: 'TCP' }];
    api.history.apply({ name: 'extra', service: 'backend', addressType: 'IPv4', endpoints, ports });
    await recorder.until(() => recorder.last?.pods.length === 1002);
  });

  it('versions that went back, after a backup was restored', async () => {
    const { api, recorder } = await running();
    await api.stop();
    api.history = new SliceHistory();
    new SliceController(api.history, { name: 'backend', ports: PORTS }).set(A, C);
    await api.restart();
    await recorder.untilPods('a=10.0.0.1:8080 c=10.0.0.3:8080');
    expect(recorder.warnings.join()).toContain('is behind the one asked before (504)');
  });
});

describe('while the API server is away', () => {
  it('the pods stay; when it is back, what happened meanwhile is known', async () => {
    const { api, controller, recorder, source, status } = await running();
    await api.stop();
    await recorder.untilLine('cannot reach the Kubernetes API');
    expect(status()).toMatchObject({
      ready: true,
      lastError: expect.stringContaining('cannot reach the Kubernetes API'),
    });
    const stale = status().staleMs;
    await recorder.untilLine('ECONNREFUSED');
    expect(status().staleMs).toBeGreaterThan(stale);
    expect(recorder.topologies).toHaveLength(1);
    controller.remove('uid-b');
    await api.restart();
    await recorder.untilPods(ONLY_A);
    await recorder.untilLine('the Kubernetes API answers again');
    expect(status()).toMatchObject({ ready: true, staleMs: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
    expect(recorder.topologies).toHaveLength(2);
    await source.stop();
  });

  it('a source that starts is not ready until it comes', async () => {
    const { api, recorder, source, status } = await begin();
    await api.stop();
    recorder.start(source);
    await recorder.untilLine('ECONNREFUSED');
    expect(status().ready).toBe(false);
    await api.restart();
    await recorder.untilPods(AB);
    expect(status().ready).toBe(true);
  });
});

describe('credentials', () => {
  it('a token that was rotated is read again at once', async () => {
    const { api, folder, controller, recorder } = await running({ tokenFile: true });
    api.tokens.clear();
    api.tokens.add('new-token');
    await folder.write('token', 'new-token\n');
    for (const watch of api.watches) watch.reset();
    controller.set(C);
    await recorder.untilPods(`${AB} c=10.0.0.3:8080`);
    expect(
      api.requests.filter((request) => request.token === 'good-token' && request.verb === 'watch').length,
    ).toBeLessThan(4);
  });

  it('that are refused are told, and the pods stay until they are good', async () => {
    const { api, folder, controller, recorder, status } = await running({ tokenFile: true });
    api.tokens.clear();
    for (const watch of api.watches) watch.reset();
    await recorder.untilLine('does not accept the credentials (401)');
    expect(status()).toMatchObject({ ready: true, problems: 1, lastError: expect.stringContaining('(401)') });
    controller.set(C);
    api.tokens.add('new-token');
    await writeFile(join(folder.path, 'token.new'), 'new-token');
    await rename(join(folder.path, 'token.new'), join(folder.path, 'token'));
    await recorder.untilPods(`${AB} c=10.0.0.3:8080`);
    expect(recorder.topologies).toHaveLength(2);
  });

  it('of the server that changed its authority are told; the new authority is read from its file', async () => {
    const { api, folder, controller, recorder } = await running({ tokenFile: true });
    const authority = makeAuthority('Another authority');
    await api.stop();
    await api.restart(authority);
    await recorder.untilLine('cannot be trusted');
    controller.set(C);
    await folder.write('ca.crt', authority.caPem);
    await recorder.untilPods(`${AB} c=10.0.0.3:8080`);
  });

  it('without permission name the Role that is missing', async () => {
    const { api, recorder, source, status } = await begin();
    const message =
      'endpointslices.discovery.k8s.io is forbidden: User "system:serviceaccount:shop:x" cannot list resource';
    api.fail('list', { status: 403, message }, 3);
    recorder.start(source);
    await recorder.untilPods(AB);
    expect(recorder.warnings).toEqual([
      `no permission to follow EndpointSlices (403): bind a Role in namespace shop with apiGroups ["discovery.k8s.io"], resources ["endpointslices"], verbs ["list", "watch"]; one that has just started says this too, until it has read its Roles; it says: ${message}`,
    ]);
    expect(status().failures).toBe(3);
  });
});
