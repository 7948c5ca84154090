/** One run: pods, the way to them, clients, messages, a scenario; and what the ledger has to say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Finding, Ledger, type Tally } from '../ledger/ledger.ts';
import { type Backend, type BackendName, backends, type Mode } from './backends/index.ts';
import { startBalancer } from './balancer.ts';
import { Clients } from './clients.ts';
import type { ClientEvent } from './clients-messages.ts';
import { sleep } from './clock.ts';
import { Fleet } from './fleet.ts';
import { produce } from './load.ts';
import type { Posting } from './posting.ts';
import { type ProxyProcess, startProxy } from './proxy.ts';
import { type Random, seeded } from './random.ts';
import type { Marks, Scenario } from './scenarios.ts';
import { watchStalls } from './stall.ts';

export interface RunOptions {
  /** Default embedded. */
  readonly backend?: BackendName;
  readonly mode: Mode;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly pods: number;
  readonly clients: number;
  /** For each client. */
  readonly messages: number;
  readonly durationMs: number;
  /** With Holdfast: at the gateway (default), or past it at any pod, without ids that the proxy could know repeats by. */
  readonly producer?: 'gateway' | 'any-pod';
  /** Producers past the gateway mark their messages with ids. */
  readonly ids?: boolean;
  /** More flags of `holdfast serve`. */
  readonly proxyFlags?: readonly string[];
  /** More flags of the embedded backend's pods. */
  readonly podFlags?: readonly string[];
  readonly logFile?: string | undefined;
  /** Called now and then with the messages that have arrived, of how many. */
  readonly onProgress?: (received: number, of: number) => void;
}

export interface Outcome {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
  /** WebSockets of clients that closed though the client wanted to stay. */
  readonly closes: number;
  /** ERROR frames that clients got. */
  readonly errors: number;
  /** Changes of pod per user; undefined without the proxy, which counts them. */
  readonly movesPerUser: number | undefined;
  /**
   * Messages that went from one server to another, for each that a client received: requests to pods because of a message,
   * and MESSAGE frames of pods that the proxy dropped as repeats. 1: each went to one pod, once.
   */
  readonly movedPerMessage: number;
  /** Messages that a broker between the pods took and gave out, for each that a client received; undefined without one. */
  readonly brokerPerMessage: number | undefined;
  /** kill: from the death of the pod until the last client was told that its session goes on, and how many were told. */
  readonly liveAgainMs: number | undefined;
  readonly announced: number;
  /** Users who lost something and were not told of a gap. */
  readonly unannounced: readonly string[];
  /** What the proxy itself has noticed by sequence numbers. */
  readonly audited: { readonly lost: number; readonly duplicated: number; readonly reordered: number };
  /** The longest time that the processes of the producer and of the clients could not run: the machine's, not Holdfast's. */
  readonly stallMs: number;
  /** Whether the backend's receipts can prove moves. */
  readonly proves: boolean;
  /** Of planned moves that were told, how many could not be proven to have lost nothing. */
  readonly unprovenHandovers: number;
}

/** When all is done and messages are missing, so long a silence means that they do not come. */
const QUIET_MS = 2_000;
const PROGRESS_EVERY_MS = 200;

interface Way {
  /** Where clients connect. */
  readonly url: string;
  readonly posting: Posting;
  readonly proxy: ProxyProcess | undefined;
  /** Rejects when the way breaks down: then nothing is proven by the run. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Everything that a run has started, before there is a way for clients. */
interface Ground {
  readonly options: RunOptions;
  readonly backend: Backend;
  readonly fleet: Fleet;
  readonly random: Random;
}

export async function run(options: RunOptions): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-experiment-'));
  const { mode, podFlags = [] } = options;
  const backend = await backends[options.backend ?? 'embedded']({ mode, podFlags });
  const { startPod, preStopMs } = backend;
  const fleet = new Fleet({ directory, startPod, preStopMs });
  try {
    await fleet.add(options.pods);
    return await onTheWay({ options, backend, fleet, random: seeded(options.seed) });
  } finally {
    await fleet.stop();
    await backend.stop();
    rmSync(directory, { recursive: true });
  }
}

async function onTheWay(ground: Ground): Promise<Outcome> {
  const way = await (ground.options.mode === 'holdfast' ? throughProxy(ground) : straight(ground));
  try {
    return await Promise.race([withClients(ground, way), way.failed]);
  } finally {
    way.posting.close();
    await way.stop();
  }
}

async function throughProxy({ options, backend, fleet, random }: Ground): Promise<Way> {
  const { proxyFlags = [], logFile, producer = 'gateway', ids = false } = options;
  const flags = [...backend.proxyFlags, ...proxyFlags];
  const proxy = await startProxy({ podsFile: fleet.file, flags, logFile });
  const adminUrl = producer === 'gateway' ? proxy.adminUrl : undefined;
  const posting = backend.posting({ addresses: () => addressesOf(fleet), adminUrl, random, ids });
  return { url: proxy.listenUrl, posting, proxy, failed: proxy.failed, stop: () => proxy.stop() };
}

async function straight({ options, backend, fleet, random }: Ground): Promise<Way> {
  const addresses = () => addressesOf(fleet);
  const balancer = await startBalancer(addresses);
  const posting = backend.posting({ addresses, adminUrl: undefined, random, ids: options.ids ?? false });
  const failed = new Promise<never>(() => {});
  return { url: balancer.url, posting, proxy: undefined, failed, stop: () => balancer.stop() };
}

function addressesOf(fleet: Fleet): string[] {
  return fleet.serving.map(({ address }) => address);
}

async function withClients({ options, backend, fleet, random }: Ground, way: Way): Promise<Outcome> {
  const users = Array.from({ length: options.clients }, (_, index) => `user-${index + 1}`);
  const record = new Record();
  const { path, destinations, subscriptionOf, receipts } = backend;
  const clients = await Clients.open({
    ...{ url: way.url, path, users, destinations, subscriptionOf, receipts },
    notices: options.mode === 'holdfast',
    onEvent: (event) => record.add(event),
  });
  try {
    const lanes = users.flatMap((user) => destinations.map((destination) => ({ user, destination })));
    await Promise.all(lanes.map(({ user, destination }) => backend.live(user, destination, addressesOf(fleet))));
    const { messages, durationMs } = options;
    const load = { users, destinations, messages, durationMs };
    const ticker = setInterval(
      () => options.onProgress?.(record.ledger.arrivals, messages * users.length),
      PROGRESS_EVERY_MS,
    );
    const stall = watchStalls();
    const brokerBefore = await backend.brokerMessages();
    const [attempts, marks] = await Promise.all([
      produce({ ...load, posting: way.posting, ledger: record.ledger, random }),
      options.scenario({ fleet, random, durationMs }),
    ]).finally(() => clearInterval(ticker));
    await arrived(record);
    const brokerMessages = difference(brokerBefore, await backend.brokerMessages());
    const stallMs = Math.max(stall(), await clients.leave());
    // After the end of the sessions, with which numbers that are still missing count as lost.
    const metrics = await way.proxy?.metrics();
    return outcomeOf(record, {
      attempts,
      brokerMessages,
      proves: backend.receipts,
      marks,
      metrics,
      stallMs,
      clients: users.length,
    });
  } finally {
    await clients.kill();
  }
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

/** Until all has arrived, or nothing arrives any more. */
async function arrived({ ledger }: Record): Promise<void> {
  for (let before = -1; !ledger.complete && ledger.arrivals > before; ) {
    before = ledger.arrivals;
    await sleep(QUIET_MS);
  }
}

interface Notice {
  readonly user: string;
  readonly atMs: number;
  readonly planned: boolean;
  readonly proven: boolean;
}

/** All that is known of a run while it goes on. */
class Record {
  readonly ledger = new Ledger();
  readonly notices: Notice[] = [];
  closes = 0;
  errors = 0;

  add(event: ClientEvent): void {
    if (event.type === 'message') this.ledger.received(event, event.n, event.atMs);
    else if (event.type === 'closed') this.closes++;
    else if (event.type === 'error') this.errors++;
    else this.#notice(event);
  }

  #notice({ user, body, atMs }: Extract<ClientEvent, { type: 'notice' }>): void {
    const { type, planned, continuity } = JSON.parse(body) as { type: string; planned: boolean; continuity: string };
    if (type === 'moved') this.notices.push({ user, atMs, planned, proven: continuity === 'proven' });
  }
}

interface Facts {
  readonly attempts: number;
  readonly brokerMessages: number | undefined;
  readonly proves: boolean;
  readonly marks: Marks;
  readonly metrics: Map<string, number> | undefined;
  readonly stallMs: number;
  readonly clients: number;
}

function outcomeOf({ ledger, notices, closes, errors }: Record, facts: Facts): Outcome {
  const { attempts, brokerMessages, proves, marks, metrics, stallMs, clients } = facts;
  const tally = ledger.tally();
  const gaps = notices.filter(({ proven }) => !proven);
  const recovered = gaps.filter(({ planned }) => !planned);
  const told = new Set(gaps.map(({ user }) => user));
  const moves = metrics?.get('holdfast_moves_total');
  const count = (what: string) => metrics?.get(`holdfast_${what}_total`) ?? 0;
  return {
    ...{ tally, findings: ledger.findings(), closes, errors, stallMs, proves },
    movesPerUser: moves === undefined ? undefined : moves / clients,
    movedPerMessage: (attempts + count('duplicates_dropped')) / Math.max(1, tally.received),
    brokerPerMessage: brokerMessages === undefined ? undefined : brokerMessages / Math.max(1, tally.received),
    liveAgainMs: liveAgainMs(recovered, marks),
    announced: new Set(recovered.map(({ user }) => user)).size,
    unannounced: metrics === undefined ? [] : tally.losers.filter((user) => !told.has(user)),
    audited: {
      lost: count('sequence_lost'),
      duplicated: count('sequence_duplicated'),
      reordered: count('sequence_reordered'),
    },
    unprovenHandovers: gaps.length - recovered.length,
  };
}

function liveAgainMs(recovered: readonly Notice[], { killedAtMs }: Marks): number | undefined {
  if (killedAtMs === undefined || recovered.length === 0) return undefined;
  return Math.max(...recovered.map(({ atMs }) => atMs)) - killedAtMs;
}
