import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_LOOP_LOOK_MS } from '../../proxy/metrics.ts';
import { startProxy } from '../../test/experiment/proxy.ts';
import { commandOf, dockerfile, environmentOf } from '../../test/manifests/dockerfile.ts';
import { packageAt } from './installed.ts';
import type { ProxyKind, ProxySetting, RunningProxy } from './proxy.ts';

export type PodState = 'serving' | 'draining' | 'unready';

export interface RunningHoldfast extends RunningProxy {
  readonly pid: number;
  /** HOST:PORT of its admin port, where the gateway is. */
  readonly adminAddress: string;
  /** All metrics by name with labels. */
  metrics(): Promise<Map<string, number>>;
  loopDelayMs(): Promise<number>;
  /** In what state each pod is listed from now on, in the order of the pods. */
  list(states: readonly PodState[]): void;
}

export interface HoldfastOptions {
  /** More flags of `holdfast serve`. */
  readonly flags?: readonly string[];
  /** Flags of the Node that runs it. */
  readonly nodeFlags?: readonly string[];
}

const image = dockerfile.at(-1) ?? [];
/** Of Node, as the image runs it. */
const IMAGE_FLAGS = commandOf(image, 'ENTRYPOINT').slice(1, -1);
const IMAGE_ENVIRONMENT = environmentOf(image);

/** @returns a kind of proxy that can be told of changes of the pods */
export function holdfastWith({ flags = [], nodeFlags = [] }: HoldfastOptions) {
  return async ({ pods, directory }: ProxySetting): Promise<RunningHoldfast> => {
    const podsFile = join(directory, 'pods.json');
    const list = (states: readonly PodState[]) => {
      const entries = pods.map((address, index) => ({ name: `pod-${index + 1}`, address, state: states[index] }));
      writeFileSync(`${podsFile}.new`, JSON.stringify(entries));
      renameSync(`${podsFile}.new`, podsFile);
    };
    list(pods.map(() => 'serving'));
    const proxy = await startProxy({
      podsFile,
      nodeFlags: [...IMAGE_FLAGS, ...nodeFlags],
      env: IMAGE_ENVIRONMENT,
      flags: ['--backend-profile', 'custom', ...flags],
    });
    return {
      addresses: [new URL(proxy.listenUrl).host],
      pid: proxy.process.pid,
      adminAddress: new URL(proxy.adminUrl).host,
      stop: () => proxy.stop(),
      metrics: () => proxy.metrics(),
      loopDelayMs: async () => loopDelayMsIn(await proxy.metrics()),
      list,
    };
  };
}

function loopDelayMsIn(metrics: ReadonlyMap<string, number>): number {
  const seconds = metrics.get('nodejs_eventloop_lag_p99_seconds') ?? 0;
  return Math.max(0, 1000 * seconds - EVENT_LOOP_LOOK_MS);
}

export const holdfast: ProxyKind = {
  name: 'holdfast',
  description: 'Holdfast, one process',
  version: () => packageAt(new URL('../../package.json', import.meta.url)).version,
  start: holdfastWith({}),
};

/** On the one core that a proxy of the bench has: what several processes cost, not what they gain. */
export const holdfastOfTwo: ProxyKind = {
  ...holdfast,
  name: 'holdfast-2',
  description: 'Holdfast, two workers',
  start: holdfastWith({ flags: ['--workers', '2'] }),
};
