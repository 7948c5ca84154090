/** For each alert the fault that it is for, on a stage of real processes. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RawClient } from '../../backend/tools.ts';
import { foreignProgram, jsonOf } from '../../experiment/child.ts';
import { sleep } from '../../experiment/clock.ts';
import { eventually } from '../../support/proxy.ts';
import { root } from '../names.ts';
import type { Stage, StageOptions } from './stage.ts';

export interface Fault extends StageOptions {
  /** What happens; it may go on until the test is over. */
  readonly strike: (stage: Stage, over: AbortSignal) => Promise<unknown>;
  /** Alerts that this fault is rightly told by as well. */
  readonly also?: readonly string[];
}

/** Noticed soon that pods stand still. */
const IMPATIENT = ['--backend-gone', '1500ms', '--backend-heartbeat', '500ms'];
const KIB = 1024;

export const faults: Readonly<Record<string, Fault>> = {
  HoldfastClientsClosed: {
    flags: ['--outage-max', '1s'],
    strike: killBackend,
    also: ['HoldfastGatewayFailing', 'HoldfastSessionsWithoutBackend'],
  },
  HoldfastMessagesLost: { strike: (stage) => replaceBackend(stage, ['--drop-every', '5']) },
  HoldfastOrderBroken: { strike: (stage) => replaceBackend(stage, ['--swap-every', '5']) },
  HoldfastNoBackend: {
    strike: async ({ fleet }) => {
      for (const pod of fleet.listed) fleet.remove(pod);
    },
    also: ['HoldfastGatewayFailing'],
  },
  HoldfastSessionsWithoutBackend: { strike: killBackend, also: ['HoldfastGatewayFailing'] },
  HoldfastTopologyStale: { strike: async ({ fleet }) => writeFileSync(fleet.file, 'this is no list of pods') },
  HoldfastRingsDiffer: { strike: proxyThatIsCutOff },
  HoldfastHandoversKept: {
    strike: async ({ fleet }) => fleet.mark('serving', await fleet.start('pod-new', ['--refuse-connect'])),
  },
  HoldfastSessionsDropped: {
    clients: 16,
    strike: async ({ fleet }) => fleet.mark('serving', await fleet.start('pod-new', ['--drop-after', '300'])),
  },
  HoldfastRecoveriesSlow: {
    flags: IMPATIENT,
    strike: freezeBackend,
    also: ['HoldfastGatewayFailing', 'HoldfastSessionsWithoutBackend'],
  },
  HoldfastGatewayFailing: {
    flags: ['--gateway-ttl', '500ms'],
    strike: (stage) => replaceBackend(stage, ['--delay', '20000']),
  },
  HoldfastAbsent: {
    strike: ({ proxies }) => Promise.all(Array.from(proxies.values(), (proxy) => proxy.stop())),
    // A gateway that ends says so to producers.
    also: ['HoldfastGatewayFailing'],
  },
  HoldfastRestarting: { strike: restartLoop },
  HoldfastNearSessionLimit: {
    flags: ['--limits-sessions', '10'],
    strike: (stage) => connectMore(stage, 'holdfast-a', 5),
  },
  HoldfastHoldNearlyFull: {
    flags: ['--hold-total', '64KiB', '--hold-session', '64KiB'],
    strike: sendWithoutBackend,
    also: ['HoldfastGatewayFailing', 'HoldfastSessionsWithoutBackend'],
  },
  HoldfastDescriptorsNearlyUsed: { strike: proxyWithFewDescriptors },
  HoldfastEventLoopSlow: { strike: stutter },
};

/** kill -9 of all pods, which stay on the list. */
function killBackend({ fleet }: Stage): Promise<unknown> {
  return Promise.all(fleet.listed.map((pod) => pod.process.kill()));
}

/** All pods are replaced by one of a new version. */
async function replaceBackend({ fleet }: Stage, flags: readonly string[]): Promise<void> {
  const old = fleet.serving;
  fleet.mark('serving', await fleet.start('pod-new', flags));
  await Promise.all(old.map((pod) => fleet.retire(pod)));
}

/** The pods stand still for as long as the alert takes patience, and then go on. */
async function freezeBackend({ fleet }: Stage): Promise<void> {
  for (const pod of fleet.listed) pod.process.signal('SIGSTOP');
  await sleep(15_000);
  for (const pod of fleet.listed) pod.process.signal('SIGCONT');
}

/** A third proxy, whose list of pods is that of today for ever. */
async function proxyThatIsCutOff(stage: Stage): Promise<void> {
  const ownList = join(stage.fleet.file, '../pods-of-c.json');
  copyFileSync(stage.fleet.file, ownList);
  stage.addProxy('holdfast-c', await stage.startProxy(ownList));
  await stage.fleet.add(1);
}

/** Each start is seen by Prometheus, as in a crash loop with its pauses. */
async function restartLoop(stage: Stage): Promise<void> {
  const pod = 'holdfast-c';
  stage.addProxy(pod, await stage.startProxy());
  for (let restarts = 0; restarts < 3; restarts++) {
    await seenStarts(stage, pod, restarts);
    await stage.proxies.get(pod)?.process.kill();
    stage.addProxy(pod, await stage.startProxy());
  }
}

function seenStarts({ prometheus }: Stage, pod: string, restarts: number): Promise<void> {
  return eventually(async () => {
    const [seen] = await prometheus.query(`changes(process_start_time_seconds{pod="${pod}"}[1m])`);
    if (seen?.value !== restarts) throw new Error(`${seen?.value} restarts of ${restarts} are seen`);
  }, 30_000);
}

async function connectMore({ proxies }: Stage, pod: string, count: number): Promise<RawClient[]> {
  const url = `${proxies.get(pod)?.listenUrl.replace(/^http/, 'ws')}/ws`;
  return Promise.all(Array.from({ length: count }, (_, n) => RawClient.connect(url, { user: `guest-${n}` })));
}

/** Clients send what no pod is there to take. */
async function sendWithoutBackend(stage: Stage): Promise<void> {
  const [client] = await connectMore(stage, 'holdfast-a', 1);
  await killBackend(stage);
  const body = 'x'.repeat(8 * KIB);
  for (let sent = 0; sent < 16; sent++) client?.send('SEND', { destination: '/app/echo' }, body);
}

/** A third proxy, and as many clients as it has descriptors for, nearly. */
async function proxyWithFewDescriptors(stage: Stage): Promise<void> {
  const [limit, clients] = [64, 17];
  const program = [
    process.execPath,
    `${root}proxy/main.ts`,
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--admin',
    '127.0.0.1:0',
  ];
  const options = ['--pods-file', stage.fleet.file, '--user', 'header:Username'];
  const child = foreignProgram('a proxy', 'prlimit', [`--nofile=${limit}`, ...program, ...options]);
  onTestFinished(() => child.kill());
  const { listen, admin } = await child.line((line) => {
    const said = jsonOf(line);
    return said?.['listen'] === undefined ? undefined : (said as { listen: string; admin: string });
  });
  const stop = async () => child.kill();
  stage.addProxy('holdfast-c', { ...{ listenUrl: listen, adminUrl: admin, process: child, stop }, ...NOT_ASKED });
  await connectMore(stage, 'holdfast-c', clients);
}

const NOT_ASKED = { metrics: async () => new Map<string, number>(), failed: new Promise<never>(() => {}) };

/** A proxy that gets no CPU for half of the time, until the test is over. */
async function stutter({ proxies }: Stage, over: AbortSignal): Promise<void> {
  const { process } = proxies.get('holdfast-a') ?? {};
  const halt = async () => {
    while (!over.aborted) {
      process?.signal('SIGSTOP');
      await sleep(300);
      process?.signal('SIGCONT');
      await sleep(300);
    }
  };
  void halt();
}
