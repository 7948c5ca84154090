/** What is done to a cluster while messages flow. Every choice comes from the seed. */
import type { Door } from '../chaos/doors.ts';
import { sleep } from '../experiment/clock.ts';
import type { ProxyProcess } from '../experiment/proxy.ts';
import type { Random } from '../experiment/random.ts';
import type { Cluster } from './cluster.ts';
import type { Namespace } from './namespace.ts';
import type { Kind } from './workload.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly namespace: Namespace;
  /** Between the proxy and the API server. */
  readonly door: Door;
  readonly proxy: ProxyProcess;
  readonly random: Random;
  /** How long the API server or all pods are away, or the watch is cut off. */
  readonly awayMs: number;
  /** Resolves when every session is at its owner among the pods that serve now. */
  readonly settled: () => Promise<void>;
}

export interface Scenario {
  readonly help: string;
  readonly kind: Kind;
  readonly replicas: number;
  readonly maxSurge?: number | string;
  /** Messages that a pod held may be lost with it, if every loser is told of a gap. */
  readonly crash?: boolean;
  /** Producers may be told that a message was not delivered. */
  readonly refuses?: boolean;
  /** How long it is away; default 20 s. */
  readonly awayMs?: number;
  /** Resolves when all is done that changes pods, whether or not sessions have followed. */
  readonly act: (stage: Stage) => Promise<void>;
}

const DEPLOYMENT = { kind: 'Deployment', replicas: 3 } as const;
/** Readiness turns once a second. */
const FLAPS = 10;
const FLAP_MS = 1_000;
/** Within it a rollout is under way and not over. */
const INTO_ROLLOUT_MS = 3_000;
/** What the proxy says of a watch without even a bookmark. */
const SILENCE = 'the watch told nothing for';
export const AWAY_MS = 20_000;
const API_AWAY_MS = 120_000;

export const scenarios = {
  'rollout-surge-1': {
    ...DEPLOYMENT,
    help: 'kubectl rollout restart of a Deployment with maxSurge 1',
    act: restart,
  },
  'rollout-surge-all': {
    ...DEPLOYMENT,
    help: 'the same with maxSurge 100%',
    maxSurge: '100%',
    act: restart,
  },
  'rollout-statefulset': {
    ...DEPLOYMENT,
    help: 'kubectl rollout restart of a StatefulSet: one pod ends before the next begins',
    kind: 'StatefulSet',
    act: restart,
  },
  'two-slices': {
    ...DEPLOYMENT,
    help: 'a rollout to pods that listen at another port: the Service has two EndpointSlices meanwhile',
    act: movePort,
  },
  scale: {
    ...DEPLOYMENT,
    help: 'kubectl scale from 3 to 8 and from 8 to 2',
    act: scale,
  },
  delete: {
    ...DEPLOYMENT,
    help: 'kubectl delete pod',
    act: ({ namespace, random }) => lose(namespace, random, false),
  },
  'delete-force': {
    ...DEPLOYMENT,
    help: 'kubectl delete pod --force --grace-period=0: its object is gone at once',
    act: ({ namespace, random }) => lose(namespace, random, true),
  },
  drain: {
    ...DEPLOYMENT,
    help: 'kubectl drain: every pod is evicted, as soon as a PodDisruptionBudget with maxUnavailable 1 allows it',
    act: drain,
  },
  crash: {
    ...DEPLOYMENT,
    help: 'a container dies by SIGKILL and is started again under the same UID and address',
    crash: true,
    act: crash,
  },
  flapping: {
    ...DEPLOYMENT,
    help: `the readiness of a pod turns ${FLAPS} times, each second`,
    act: flap,
  },
  'api-away': {
    ...DEPLOYMENT,
    help: 'the API server is stopped, and nothing else happens',
    awayMs: API_AWAY_MS,
    act: apiAway,
  },
  'api-away-rollout': {
    ...DEPLOYMENT,
    help: 'the API server is stopped in the middle of a rollout',
    awayMs: API_AWAY_MS,
    act: apiAwayInRollout,
  },
  expired: {
    ...DEPLOYMENT,
    help: "the proxy's watch is cut off while a pod is replaced and the API server is restarted: its version is gone (410)",
    act: expired,
  },
  silent: {
    ...DEPLOYMENT,
    help: "the proxy's watch falls silent without being closed, and a pod is replaced",
    crash: true,
    act: silent,
  },
  'all-gone': {
    ...DEPLOYMENT,
    help: 'scaled to 0, and back some time after the last process has ended',
    refuses: true,
    act: allGone,
  },
} satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;
export const NAMES = Object.keys(scenarios) as ScenarioName[];

async function restart({ namespace }: Stage): Promise<void> {
  await namespace.restart();
  await namespace.done();
}

async function movePort({ namespace }: Stage): Promise<void> {
  await namespace.movePort(8081);
  await namespace.done();
}

/** Newcomers wait for each other: without `settled` most of them would be gone again before they have anybody. */
async function scale({ namespace, settled }: Stage): Promise<void> {
  await namespace.scale(8);
  await namespace.done();
  await settled();
  await namespace.scale(2);
  await namespace.done();
}

async function lose(namespace: Namespace, random: Random, force: boolean): Promise<void> {
  const victim = random.pick(await namespace.serving());
  await namespace.delete(victim, { force });
  await namespace.replaced(victim);
}

async function drain({ namespace }: Stage): Promise<void> {
  const pods = await namespace.serving();
  await Promise.all(pods.map((pod) => namespace.evict(pod)));
  for (const pod of pods) await namespace.replaced(pod);
}

async function crash({ cluster, namespace, random }: Stage): Promise<void> {
  const victim = random.pick(await namespace.serving());
  cluster.kubelet.workerOf(victim).crash();
  await namespace.ready(DEPLOYMENT.replicas - 1);
  await namespace.ready(DEPLOYMENT.replicas);
}

async function flap({ cluster, namespace, random }: Stage): Promise<void> {
  const worker = cluster.kubelet.workerOf(random.pick(await namespace.serving()));
  for (let flap = 0; flap < FLAPS; flap++) {
    worker.hide(flap % 2 === 0);
    await sleep(FLAP_MS);
  }
  await namespace.ready(DEPLOYMENT.replicas);
}

async function apiAway({ cluster, awayMs }: Stage): Promise<void> {
  await cluster.plane.stopApiServer();
  await sleep(awayMs);
  await cluster.plane.startApiServer();
}

async function apiAwayInRollout(stage: Stage): Promise<void> {
  await stage.namespace.restart();
  await sleep(INTO_ROLLOUT_MS);
  await apiAway(stage);
  await stage.namespace.done();
}

async function expired(stage: Stage): Promise<void> {
  const { cluster, namespace, door, random } = stage;
  await door.fault({ kind: 'half-open' });
  await lose(namespace, random, false);
  await cluster.plane.stopApiServer();
  await cluster.plane.startApiServer();
  await door.fault({ kind: 'none' });
}

/** The network comes back when the proxy has noticed: until then nothing that it asks is answered either. */
async function silent({ namespace, door, proxy, random }: Stage): Promise<void> {
  const noticed = proxy.process.line((line) => (line.includes(SILENCE) ? true : undefined));
  await door.fault({ kind: 'half-open' });
  await lose(namespace, random, false);
  await noticed;
  await door.fault({ kind: 'none' });
}

async function allGone({ cluster, namespace, awayMs }: Stage): Promise<void> {
  await namespace.scale(0);
  await namespace.ready(0);
  await cluster.kubelet.gone(namespace.name);
  await sleep(awayMs);
  await namespace.scale(DEPLOYMENT.replicas);
  await namespace.done();
}
