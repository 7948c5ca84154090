import { describe, expect, test } from 'vitest';
import { untilStopped } from '../../proxy/cli/until-stopped.ts';
import type { Config } from '../../proxy/config/index.ts';
import type { Running } from '../../proxy/running.ts';
import { FakeHost, holdfast } from './support.ts';

/** A proxy that is up until the test lets it end. */
class FakeProxy implements Running {
  readonly listenUrl = 'http://127.0.0.1:1';
  readonly adminUrl = 'http://127.0.0.1:2';
  stops = 0;
  readonly stopping = Promise.withResolvers<void>();
  readonly ended = Promise.withResolvers<void>();

  stop(): Promise<void> {
    this.stops++;
    this.stopping.resolve();
    return this.ended.promise;
  }
}

function running() {
  const [host, proxy] = [new FakeHost(), new FakeProxy()];
  const up = Promise.withResolvers<Running>();
  const clock = { now: 0 };
  const code = untilStopped(
    host,
    () => up.promise,
    () => clock.now,
  );
  return { host, proxy, up, clock, code };
}

describe('a proxy runs', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('until %s, then stops in order with code 0', async (signal) => {
    const { host, proxy, up, code } = running();
    up.resolve(proxy);
    host.raise(signal);
    await proxy.stopping.promise;
    expect(host.exits).toEqual([]);
    proxy.ended.resolve();
    expect(await code).toBe(0);
    expect(host.listeners).toBe(0);
  });

  test('a signal before it is up is not lost', async () => {
    const { host, proxy, up, code } = running();
    host.raise('SIGTERM');
    up.resolve(proxy);
    proxy.ended.resolve();
    expect(await code).toBe(0);
    expect(proxy.stops).toBe(1);
  });

  test.each([
    [0, []],
    [299, []],
    [300, [1]],
    [5_000, [1]],
  ])('a second signal after %i ms: exit %j', async (afterMs, exits) => {
    const { host, proxy, up, clock, code } = running();
    up.resolve(proxy);
    host.raise('SIGTERM');
    await proxy.stopping.promise;
    clock.now += afterMs;
    host.raise('SIGINT');
    expect(host.exits).toEqual(exits);
    proxy.ended.resolve();
    await code;
    expect(proxy.stops).toBe(1);
  });

  test('an error that nobody caught is told, stops in order and gives code 1', async () => {
    const { host, proxy, up, code } = running();
    up.resolve(proxy);
    host.raise('uncaughtException', new Error('boom'));
    proxy.ended.resolve();
    expect(await code).toBe(1);
    expect(host.err).toContain('stopping after an unexpected error: Error: boom');
  });

  test('an error while it stops ends it at once', async () => {
    const { host, proxy, up, code } = running();
    up.resolve(proxy);
    host.raise('SIGTERM');
    await proxy.stopping.promise;
    host.raise('uncaughtException', new Error('boom'));
    expect(host.exits).toEqual([1]);
    proxy.ended.resolve();
    await code;
  });

  test('a start or a stop that fails is told in one line, with code 1', async () => {
    const first = running();
    first.up.reject(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8080'));
    expect(await first.code).toBe(1);
    expect(first.host.err).toBe('holdfast: listen EADDRINUSE: address already in use 127.0.0.1:8080\n');
    const second = running();
    second.up.resolve(second.proxy);
    second.host.raise('SIGTERM');
    second.proxy.ended.reject(new Error('would not end'));
    expect(await second.code).toBe(1);
  });
});

describe('holdfast serve', () => {
  const FLAGS = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--pods', 'a=127.0.0.1:1,b=127.0.0.1:2'];

  test('gives the proxy its configuration; the failure of the proxy is its own', async () => {
    let given: Config | undefined;
    const serve = (config: Config) => {
      given = config;
      return Promise.reject(new Error('no port left'));
    };
    const argv = ['serve', ...FLAGS, '--user', 'jwt', '--jwt-secret-file', '/secret', '--log-level', 'silent'];
    const { code, err } = await holdfast(argv, { serve });
    expect({ code, err }).toEqual({ code: 1, err: 'holdfast: no port left\n' });
    expect(given?.pods?.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('starts nothing on a wrong configuration', async () => {
    const { code, err } = await holdfast(['serve', ...FLAGS], {}, { HOLDFAST_LOG_LEVEL: 'loud' });
    expect(code).toBe(2);
    expect(err).toContain('HOLDFAST_LOG_LEVEL: "loud" must be one of debug, info, warn, error, silent');
  });
});

test('holdfast start runs the demo', async () => {
  const { code, err } = await holdfast(['start'], { start: () => Promise.reject(new Error('demo')) });
  expect({ code, err }).toEqual({ code: 1, err: 'holdfast: demo\n' });
});
