/** Discovery from Kubernetes against the fake API server: what slices mean, and how requests are made. */
import { describe, expect, it } from 'vitest';
import { SliceController } from './fake-api/index.ts';
import { FastClock } from './fast-clock.ts';
import { A, AB, B, begin, C, ONLY_A, PORTS, running } from './kubernetes-world.ts';

describe('what the slices say', () => {
  it('a Service without pods is ready, with none', async () => {
    const { controller, recorder, source, status } = await begin();
    controller.remove('uid-a', 'uid-b');
    recorder.start(source);
    await recorder.untilPods('no pods');
    expect(status()).toMatchObject({ ready: true, staleMs: 0, failures: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
  });

  it('a Service that loses its last pod has none', async () => {
    const { controller, recorder } = await running();
    controller.remove('uid-a', 'uid-b');
    await recorder.untilPods('no pods');
  });

  it('no slice at all is not ready, and told', async () => {
    const { controller, recorder, source, status } = await begin();
    controller.removeService();
    recorder.start(source);
    await recorder.untilLine(
      'there is no EndpointSlice with the label kubernetes.io/service-name=backend in namespace shop; is the Service there, and does it have a selector?',
    );
    expect(status()).toMatchObject({ ready: false, lastError: expect.stringContaining('Service shop/backend') });
    controller.set(A, B);
    await recorder.untilPods(AB);
    expect(status()).toMatchObject({ ready: true, staleMs: 0 });
  });

  it('a Service that is deleted takes no pod away, and says so', async () => {
    const { controller, recorder, status } = await running();
    controller.removeService();
    await recorder.untilLine('the last pods are kept');
    expect(recorder.topologies).toHaveLength(1);
    const { staleMs, lastError } = status();
    expect(staleMs).toBeGreaterThanOrEqual(0);
    expect(lastError).toContain('there is no EndpointSlice');
    controller.remove('uid-b');
    await recorder.untilPods(ONLY_A);
    await recorder.untilLine('the EndpointSlices are good again');
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
  });

  it('an empty list after an outage takes no pod away either', async () => {
    const { api, controller, recorder } = await running();
    await api.stop();
    controller.removeService();
    await api.restart();
    await recorder.untilLine('the last pods are kept');
    expect(recorder.topologies).toHaveLength(1);
  });

  it('slices without the port take no pod away', async () => {
    const { api, recorder, status } = await running();
    const endpoints = [{ addresses: ['10.0.0.1'], targetRef: { name: 'a', uid: 'uid-a' } }];
    for (const name of ['backend-ipv4-0', 'backend-ipv4-1']) {
      api.history.apply({
        name,
        service: 'backend',
        addressType: 'IPv4',
        endpoints,
        ports: [{ name: 'web', port: 80 }],
      });
    }
    await recorder.untilLine('there is no port named "stomp"; the Service has: web');
    expect(recorder.topologies).toHaveLength(1);
    expect(status()).toMatchObject({
      problems: 2,
      lastError: expect.stringContaining('there is no port named "stomp"'),
    });
  });

  it('slices of another Service are not asked for', async () => {
    const { api, controller, recorder } = await running();
    new SliceController(api.history, { name: 'other', ports: PORTS }).set(C);
    controller.remove('uid-b');
    await recorder.untilPods(ONLY_A);
    expect(recorder.topologies).toHaveLength(2);
  });
});

describe('requests', () => {
  it('ask for bookmarks, an end, and the label of the Service', async () => {
    const { api } = await running();
    const [list, watch] = api.requests;
    expect(Object.fromEntries(list?.query ?? [])).toEqual({
      labelSelector: 'kubernetes.io/service-name=backend',
      limit: '500',
    });
    expect(Object.fromEntries(watch?.query ?? [])).toMatchObject({
      labelSelector: 'kubernetes.io/service-name=backend',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: String(api.history.version),
      timeoutSeconds: expect.stringMatching(/^2[4-9]\d$|^300$/),
    });
  });

  it('go on from a bookmark', async () => {
    const { api, status } = await running();
    api.history.advance(1000);
    api.bookmark();
    for (const watch of api.watches) watch.end();
    await api.until((api) => api.count('watch') === 2);
    expect(api.requests.at(-1)?.query.get('resourceVersion')).toBe(String(api.history.version));
    expect(status()).toMatchObject({ relists: 1, watchRestarts: 1 });
  });

  it('share one connection while watches end cleanly and lists repeat', async () => {
    // Each end of a watch is followed by a list.
    const { api } = await running({ listWatch: { relistMs: [0, 0] } });
    for (let round = 2; round <= 21; round += 1) {
      for (const watch of api.watches) watch.end();
      await api.until((api) => api.count('list') >= round && api.watches.size === 1);
    }
    expect(api.connections).toBe(1);
  });

  it('never hold more than two connections, however often the watch breaks', async () => {
    const { api } = await running({ listWatch: { backoff: { baseMs: 1, capMs: 1 } } });
    let most = 0;
    for (let round = 1; round <= 20; round += 1) {
      const watches = api.count('watch');
      for (const watch of api.watches) watch.error(410);
      await api.until((api) => {
        most = Math.max(most, api.openConnections);
        return api.count('watch') > watches && api.watches.size > 0;
      });
    }
    expect(most).toBeLessThanOrEqual(2);
    expect(api.count('list')).toBeGreaterThan(20);
  });

  it('end with stop: no watch begins after it, no connection stays', async () => {
    const { api, recorder, source } = await begin();
    api.fail('list', { delayMs: 20 });
    recorder.start(source);
    await api.until((api) => api.count('list') === 1);
    await source.stop();
    await api.until((api) => api.openConnections === 0);
    expect(api.count('watch')).toBe(0);
    expect(recorder.topologies).toEqual([]);
    expect(recorder.warnings).toEqual([]);
  });

  it('end with stop in the middle of a watch', async () => {
    const { api, source, recorder } = await running();
    await source.stop();
    await api.until((api) => api.openConnections === 0);
    expect(recorder.warnings).toEqual([]);
  });
});

it('reconnects in real time, with everything as it is in production', async () => {
  const { api, controller, recorder } = await running({ clock: new FastClock(1) });
  for (const watch of api.watches) watch.reset();
  await api.until((api) => api.count('watch') === 2 && api.watches.size === 1);
  controller.set(C);
  await recorder.untilPods(`${AB} c=10.0.0.3:8080`);
  expect(api.count('list')).toBe(1);
});
