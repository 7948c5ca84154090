/** A proxy under load: pods, users and what stands between them, each a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../test/experiment/clock.ts';
import type { BackendCalls, Sent } from './load/backend.ts';
import type { ClientsCalls, Span } from './load/clients.ts';
import type { Faults } from './load/lane.ts';
import { Remote } from './load/remote.ts';
import type { ProxySetting, RunningProxy } from './proxies/index.ts';
import { between, pin, type Usage, usageOf } from './usage.ts';

export interface Stage<P extends RunningProxy = RunningProxy> {
  readonly proxy: P;
  readonly clients: Remote<ClientsCalls>;
  readonly backends: readonly Remote<BackendCalls>[];
  close(): Promise<void>;
}

const PODS = 2;

/** Folders of stages that are open: a bench that is stopped leaves nothing behind. */
const directories = new Set<string>();
process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/**
 * @param start makes the proxy
 * @param core of the proxy alone; undefined: wherever the system puts it
 */
export async function openStage<P extends RunningProxy>(
  start: (setting: ProxySetting) => Promise<P>,
  core: string | undefined,
): Promise<Stage<P>> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  directories.add(directory);
  const clients = new Remote<ClientsCalls>('the process with the users', 'clients-main.ts');
  const backends = Array.from({ length: PODS }, () => new Remote<BackendCalls>('a pod', 'backend-main.ts'));
  const close = async () => {
    await Promise.all([clients, ...backends].map((remote) => remote.kill()));
    rmSync(directory, { recursive: true });
    directories.delete(directory);
  };
  try {
    const pods = await Promise.all(backends.map((backend) => backend.ask('listen', null)));
    const proxy = await start({ pods, directory });
    if (core !== undefined && proxy.pid !== undefined) pin(proxy.pid, core);
    // Users first, or a proxy that ends in order would have to tell each of them.
    const closeAll = async () => {
      await clients.kill();
      await proxy.stop();
      await close();
    };
    return { proxy, clients, backends, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How many users connect at a time, where the bench does not ask how many can. */
const CONCURRENCY = 32;

/** Opens users 0 to `count` and subscribes them. */
export async function openUsers({ clients, proxy }: Stage, count: number): Promise<void> {
  const users = Array.from({ length: count }, (_, index) => index);
  await clients.ask('open', { addresses: proxy.addresses, users, concurrency: CONCURRENCY });
  await clients.ask('subscribe', { notices: false });
}

/** All pods at once. */
export async function tellPods<K extends 'push' | 'each' | 'greet' | 'sequence'>(
  { backends }: Stage,
  call: K,
  argument: Parameters<BackendCalls[K]>[0],
): Promise<void> {
  await Promise.all(backends.map((backend) => backend.ask(call, argument as never)));
}

/** No more messages; what has become of all of them so far. */
export async function settle({ clients, backends }: Stage): Promise<Faults> {
  const sent: Sent[] = (await Promise.all(backends.map((backend) => backend.ask('stop', null)))).flat();
  return clients.ask('settle', { sent });
}

export interface Measured {
  readonly span: Span;
  /** Of the proxy; undefined where there is none. */
  readonly usage: Usage | undefined;
  /** Of the proxy's event loop, 99th percentile, if it tells. */
  readonly loopDelayMs: number | undefined;
}

export interface Window {
  /** Before what is measured: the load reaches its rate, code is compiled. */
  readonly warmMs: number;
  readonly measureMs: number;
}

/** Looks at a load that runs. One message in `timedEvery` is timed. */
export async function measure(stage: Stage, { warmMs, measureMs }: Window, timedEvery = 1): Promise<Measured> {
  const use = () => (stage.proxy.pid === undefined ? undefined : usageOf(stage.proxy.pid));
  await sleep(warmMs);
  await stage.proxy.loopDelayMs?.();
  await stage.clients.ask('mark', { timedEvery });
  const before = use();
  await sleep(measureMs);
  const span = await stage.clients.ask('mark', { timedEvery });
  const after = use();
  const loopDelayMs = await stage.proxy.loopDelayMs?.();
  return { span, usage: before && after && between(before, after), loopDelayMs };
}
