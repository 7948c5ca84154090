/** What every source of topologies promises, whatever stands behind it. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Clock,
  fileSource,
  kubernetesSource,
  staticSource,
  systemClock,
  type TopologySource,
} from '../../proxy/discovery/index.ts';
import type { Log } from '../../proxy/log.ts';
import { type FakePod, kubeconfigText, SliceController, startFakeApi, temporaryFolder } from './fake-api/index.ts';
import { FastClock } from './fast-clock.ts';
import { Recorder } from './recorder.ts';

type PodLine = { name: string; ip: string; state: 'serving' | 'draining' };

const A: PodLine = { name: 'a', ip: '10.0.0.1', state: 'serving' };
const B: PodLine = { name: 'b', ip: '10.0.0.2', state: 'serving' };
/** Something that pods can be written to, that can be broken, and that a source follows. */
interface World {
  readonly clock: Clock;
  source(log: Log): TopologySource;
  write(...pods: PodLine[]): Promise<void>;
  /** From now on the source cannot learn anything. */
  damage(): Promise<void>;
  /** It can again; then the pods are the given ones. */
  repair(...pods: PodLine[]): Promise<void>;
  close(): Promise<void>;
}

async function fileWorld(): Promise<World> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'pods.yaml');
  const write = async (...pods: PodLine[]) => {
    await writeFile(path, JSON.stringify(pods.map(({ name, ip, state }) => ({ name, address: `${ip}:8080`, state }))));
  };
  return {
    clock: systemClock,
    source: (log) => fileSource({ path, log }),
    write,
    damage: () => rm(path),
    repair: write,
    close: folder.remove,
  };
}

async function kubernetesWorld(): Promise<World> {
  const folder = await temporaryFolder();
  const api = await startFakeApi();
  const controller = new SliceController(api.history, { name: 'backend', ports: [{ name: 'stomp', port: 8080 }] });
  const kubeconfig = await folder.write('kubeconfig', kubeconfigText({ server: api.url, caPem: api.caPem }));
  let known: PodLine[] = [];
  const write = async (...pods: PodLine[]) => {
    const gone = known.filter((pod) => !pods.some((other) => other.name === pod.name));
    known = pods;
    controller.set(
      ...pods.map(({ name, ip, state }): FakePod => ({ name, uid: name, ip, deleting: state === 'draining' })),
    );
    controller.remove(...gone.map((pod) => pod.name));
  };
  const clock = new FastClock(30);
  return {
    clock,
    source: (log) => kubernetesSource({ service: 'shop/backend:stomp', kubeconfig, log, clock }),
    write,
    damage: () => api.stop(),
    repair: async (...pods) => {
      await write(...pods);
      await api.restart();
    },
    close: async () => {
      await api.stop();
      await folder.remove();
    },
  };
}

async function staticWorld(): Promise<World> {
  let pods = '';
  return {
    clock: systemClock,
    source: () => staticSource(pods),
    write: async (...lines) => {
      pods = lines.map(({ name, ip }) => `${name}=${ip}:8080`).join(',');
    },
    damage: async () => {},
    repair: async () => {},
    close: async () => {},
  };
}

const cleanups: (() => Promise<void>)[] = [];
// In a hurry of thirty times, loading the package would take longer than a request may.
beforeAll(async () => {
  await import('@kubernetes/client-node');
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function begin(makeWorld: () => Promise<World>, ...pods: PodLine[]) {
  const world = await makeWorld();
  cleanups.push(() => world.close());
  if (pods.length > 0) await world.write(...pods);
  const recorder = new Recorder();
  const source = world.source(recorder.log);
  cleanups.push(() => source.stop());
  const status = (laterMs = 0) => source.status(world.clock.now() + laterMs);
  return { world, recorder, source, status };
}

describe.each([
  ['static', staticWorld],
  ['file', fileWorld],
  ['kubernetes', kubernetesWorld],
])('the source %s', (name, makeWorld) => {
  it('knows nothing before it is started', async () => {
    const { status } = await begin(makeWorld, A);
    expect(status()).toMatchObject({ source: name, ready: false, staleMs: 0, failures: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
  });

  it('gives the pods sorted by name, after start has returned', async () => {
    const { recorder, source, status } = await begin(makeWorld, B, A);
    recorder.start(source);
    expect(recorder.topologies).toEqual([]);
    await recorder.untilPods('a=10.0.0.1:8080 b=10.0.0.2:8080');
    expect(recorder.last?.source).toBe(name);
    expect(status()).toMatchObject({ source: name, ready: true, staleMs: 0, failures: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
  });

  it('cannot be started twice', async () => {
    const { recorder, source } = await begin(makeWorld, A);
    recorder.start(source);
    expect(() => recorder.start(source)).toThrow('a topology source can be started once');
  });

  it('can be stopped before it is started, twice, and then never speaks', async () => {
    const { recorder, source } = await begin(makeWorld, A);
    await source.stop();
    await source.stop();
    expect(() => recorder.start(source)).toThrow('a topology source can be started once');
    expect(recorder.topologies).toEqual([]);
  });

  it('says nothing more when it is stopped right after the start', async () => {
    const { recorder, source, status } = await begin(makeWorld, A);
    recorder.start(source);
    await source.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(recorder.topologies).toEqual([]);
    expect(status().ready).toBe(false);
  });
});

describe.each([
  ['file', fileWorld],
  ['kubernetes', kubernetesWorld],
])('the source %s follows', (_name, makeWorld) => {
  it('pods that come, drain and go, and says so only when something changed', async () => {
    const { world, recorder, source } = await begin(makeWorld, A);
    recorder.start(source);
    await recorder.untilPods('a=10.0.0.1:8080');
    await world.write(A, B);
    await recorder.untilPods('a=10.0.0.1:8080 b=10.0.0.2:8080');
    await world.write({ ...A, state: 'draining' }, B);
    await recorder.untilPods('~a=10.0.0.1:8080 b=10.0.0.2:8080');
    await world.write({ ...A, state: 'draining' }, B);
    await world.write(B);
    await recorder.untilPods('b=10.0.0.2:8080');
    expect(recorder.topologies).toHaveLength(4);
    await world.write();
    await recorder.untilPods('no pods');
  });

  it('keeps the last pods while it is broken, tells why once, and goes on when it is repaired', async () => {
    const { world, recorder, source, status } = await begin(makeWorld, A, B);
    recorder.start(source);
    await recorder.untilPods('a=10.0.0.1:8080 b=10.0.0.2:8080');
    await world.damage();
    await recorder.until(() => recorder.warnings.length > 0);
    const broken = status();
    expect(broken).toMatchObject({ ready: true, problems: 1, lastError: recorder.warnings.at(-1) });
    expect(broken.failures).toBeGreaterThan(0);
    expect(status(60_000).staleMs).toBeGreaterThan(60_000);
    expect(recorder.topologies).toHaveLength(1);

    await world.repair(B);
    await recorder.untilPods('b=10.0.0.2:8080');
    await recorder.until(
      () => recorder.lines.at(-1)?.message.includes('again') === true || status().lastError === undefined,
    );
    expect(status()).toMatchObject({ ready: true, staleMs: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
    expect(new Set(recorder.warnings).size).toBe(recorder.warnings.length);
  });

  it('is not ready while it is broken from the start, and becomes so when it is repaired', async () => {
    const { world, recorder, source, status } = await begin(makeWorld, A);
    await world.damage();
    recorder.start(source);
    await recorder.until(() => recorder.warnings.length > 0);
    expect(status()).toMatchObject({ ready: false, lastError: expect.any(String) });
    expect(status(60_000).staleMs).toBeGreaterThan(60_000);
    await world.repair(A);
    await recorder.untilPods('a=10.0.0.1:8080');
    expect(status().ready).toBe(true);
  });

  it('lives on when its listener throws', async () => {
    const { world, recorder, source } = await begin(makeWorld, A);
    const seen: string[] = [];
    source.start((topology) => {
      seen.push(topology.pods.map((pod) => pod.name).join());
      throw new Error('the listener is broken');
    });
    await recorder.untilLine('a listener of the topology failed');
    await world.write(A, B);
    await recorder.until(() => recorder.lines.filter((line) => line.level === 'error').length === 2);
    expect(seen).toEqual(['a', 'a,b']);
  });
});
