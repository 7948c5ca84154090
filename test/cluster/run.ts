/** One run: a namespace with a backend, Holdfast with the watch of its EndpointSlices, clients, messages, a scenario; and the ledger. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arrived } from '../chaos/arrived.ts';
import { Doors } from '../chaos/doors.ts';
import { DESTINATIONS, Record, unannounced } from '../chaos/record.ts';
import { steadfast } from '../chaos/steadfast.ts';
import { kubeconfigText } from '../discovery/fake-api/index.ts';
import { jsonOf } from '../experiment/child.ts';
import { Clients } from '../experiment/clients.ts';
import { nowMs, sleep } from '../experiment/clock.ts';
import { produce } from '../experiment/load.ts';
import { gatewayPosting } from '../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { seeded } from '../experiment/random.ts';
import { watchStalls } from '../experiment/stall.ts';
import type { Finding, Tally } from '../ledger/ledger.ts';
import type { Cluster } from './cluster.ts';
import { untilHome } from './home.ts';
import type { Namespace } from './namespace.ts';
import { AWAY_MS, type Scenario, type Stage } from './scenarios.ts';
import { BACKEND, PORT_NAME } from './workload.ts';

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly clients: number;
  /** Messages per second, to all clients together. */
  readonly rate: number;
  /** How long what is away in the scenario is away; default what the scenario says. */
  readonly awayMs?: number | undefined;
  readonly logFile?: string | undefined;
}

export interface Outcome {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
  /** WebSockets of clients that closed though the client wanted to stay. */
  readonly closes: number;
  /** ERROR frames that clients got: what they said, and how often. */
  readonly errors: Readonly<globalThis.Record<string, number>>;
  /** Losses of which their users were not told. */
  readonly unannounced: number;
  /** Messages out of order because their producer had given them up. */
  readonly late: number;
  readonly movesPerUser: number;
  /** Of users, the longest silence of each; its own pace is part of it. */
  readonly gapMs: Percentiles;
  /** Of users, the longest way of a message of each. */
  readonly delayMs: Percentiles;
  /** From the moment at which the API server has the last pods as ready until every session is at its owner. */
  readonly homeMs: number;
  readonly scenarioMs: number;
  /** The longest time that the processes of the producer and of the clients could not run: the machine's, not Holdfast's. */
  readonly stallMs: number;
  /** What the proxy has warned of, each text once. */
  readonly warnings: readonly string[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Nothing happens so long before the scenario, and after every session is at its owner. */
const QUIET_MS = 1_500;
/** A message that waits at the gateway, and then at a pod that is silent, is told lost within both times. */
const ANNOUNCED_WITHIN_MS = 20_000;
/** No scenario takes as long: it ends the messages. */
const LOAD_MAX_SECONDS = 3_600;

interface World {
  readonly cluster: Cluster;
  readonly namespace: Namespace;
  readonly options: RunOptions;
  readonly doors: Doors;
  readonly directory: string;
}

export async function run(cluster: Cluster, options: RunOptions): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-cluster-run-'));
  const doors = new Doors();
  const namespace = await cluster.namespace();
  try {
    const { kind, replicas, maxSurge = 1 } = options.scenario;
    await namespace.deploy({ kind, replicas, maxSurge });
    return await withProxy({ cluster, namespace, options, doors, directory });
  } finally {
    await doors.stop();
    await cluster.remove(namespace);
    rmSync(directory, { recursive: true });
  }
}

async function withProxy(world: World): Promise<Outcome> {
  const { cluster, namespace, options, doors, directory } = world;
  const { access } = cluster.plane;
  const door = await doors.open(new URL(access.url).host);
  const kubeconfig = join(directory, 'kubeconfig');
  const token = await namespace.proxyToken();
  writeFileSync(kubeconfig, kubeconfigText({ server: `https://${door.address}`, caPem: access.caPem, token }));
  const target = `${namespace.name}/${BACKEND}:${PORT_NAME}`;
  const flags = ['--kubernetes', target, '--kubeconfig', kubeconfig];
  const proxy = await startProxy({ flags, logFile: options.logFile });
  const awayMs = options.awayMs ?? options.scenario.awayMs ?? AWAY_MS;
  const stage: Stage = {
    ...{ cluster, namespace, door, proxy, random: seeded(options.seed), awayMs },
    settled: async () => void (await home(stage, usersOf(options))),
  };
  const warnings = new Set<string>();
  proxy.process.onLine((line) => {
    const { level, msg } = jsonOf(line) ?? {};
    if (level === 'warn') warnings.add(String(msg));
  });
  try {
    const outcome = await Promise.race([withClients(stage, options), proxy.failed]);
    return { ...outcome, warnings: [...warnings] };
  } finally {
    await proxy.stop();
  }
}

async function withClients(stage: Stage, options: RunOptions): Promise<Omit<Outcome, 'warnings'>> {
  const { proxy } = stage;
  const users = usersOf(options);
  const record = new Record();
  const clients = await Clients.open({
    ...{ url: proxy.listenUrl, users, destinations: DESTINATIONS, notices: true },
    onEvent: (event) => record.add(event),
  });
  try {
    await home(stage, users);
    const before = await moves(proxy);
    const stall = watchStalls();
    const times = await underLoad(stage, options, users, record);
    await arrived(record.ledger);
    const stallMs = Math.max(stall(), await clients.leave());
    const movesPerUser = ((await moves(proxy)) - before) / users.length;
    return { ...judged(record), ...times, stallMs, movesPerUser };
  } finally {
    await clients.kill();
  }
}

function usersOf({ clients }: RunOptions): string[] {
  return Array.from({ length: clients }, (_, index) => `user-${index + 1}`);
}

/** The scenario with messages before, while and after it. */
async function underLoad(stage: Stage, options: RunOptions, users: readonly string[], record: Record) {
  const { scenario, rate, clients, seed } = options;
  const posting = steadfast(gatewayPosting(stage.proxy.adminUrl), (lane, n, outcome) =>
    record.refuse(lane, n, outcome),
  );
  const end = new AbortController();
  const sending = produce({
    ...{ users, destinations: DESTINATIONS, posting, ledger: record.ledger, random: seeded(seed), signal: end.signal },
    ...{ messages: Math.ceil((rate * LOAD_MAX_SECONDS) / clients), durationMs: LOAD_MAX_SECONDS * 1000 },
  });
  try {
    await sleep(QUIET_MS);
    const startMs = nowMs();
    await scenario.act(stage);
    const scenarioMs = nowMs() - startMs;
    const homeMs = await home(stage, users);
    await sleep(QUIET_MS);
    return { scenarioMs, homeMs };
  } finally {
    end.abort();
    await sending;
    posting.close();
  }
}

async function home(
  { namespace, proxy }: Pick<Stage, 'namespace' | 'proxy'>,
  users: readonly string[],
): Promise<number> {
  const pods = await namespace.serving();
  return untilHome(
    proxy,
    users,
    pods.map(({ metadata }) => metadata.name),
  );
}

async function moves(proxy: ProxyProcess): Promise<number> {
  return (await proxy.metrics()).get('holdfast_moves_total') ?? 0;
}

function judged(record: Record) {
  const { ledger, closes, errors, gaps } = record;
  const findings = ledger.findings();
  return {
    ...{ tally: ledger.tally(), findings, closes, errors: Object.fromEntries(errors) },
    unannounced: unannounced(ledger.lost(), gaps, ANNOUNCED_WITHIN_MS).length,
    late: findings.filter((finding) => record.isLate(finding)).length,
    gapMs: percentiles(ledger.users().map(({ gapMs }) => gapMs)),
    delayMs: percentiles(ledger.users().map(({ delayMs }) => delayMs)),
  };
}

/** Nearest rank. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
