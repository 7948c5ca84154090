/**
 * All metrics of Holdfast, in one table, with what each of them means.
 *
 * No label carries a user, a destination, a session or an address of a client: their number is not ours to bound, and
 * their names are nobody's business. Values that others name (status codes, reasons) are bounded by MAX_OPEN_VALUES.
 *
 * Counting costs an addition: values live in cells of our own and prom-client reads them when it is scraped. (Its own
 * bound children build a hash of their labels at each increment: 55 ns against 1.3 ns, measured on the hot path's counter.)
 */
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { openFiles } from './open-files.ts';

/** A count that only grows. */
export interface Tally {
  /** @param by not negative; default 1 */
  inc(by?: number): void;
  /** For totals that are counted elsewhere. */
  set(total: number): void;
}

/** A value that goes up and down. */
export interface Dial extends Tally {
  dec(by?: number): void;
}

/** One tally for each value of a label; keep the child where it is needed often. */
export interface Tallies<Value extends string = string> {
  of(value: Value): Tally;
}

/** One dial for each combination of label values. */
export interface Dials<Values extends readonly string[]> {
  of(...values: Values): Dial;
  /** Removes all series: for a label whose old values mean nothing any more. */
  clear(): void;
}

/** Beyond this many values of a label that others name, the rest is counted as 'other'. */
const MAX_OPEN_VALUES = 64;
const OTHER = 'other';

/**
 * How often the event loop is looked at: a turn that is this late or more is seen. Each look wakes a process that has nothing to do; at
 * the 10 ms that prom-client takes without being asked that was half of what an idle proxy cost. What nodejs_eventloop_lag_* tell are times
 * between two looks, so this is part of them.
 */
export const EVENT_LOOP_LOOK_MS = 50;

class Cell implements Dial {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }

  dec(by = 1): void {
    this.value -= by;
  }

  set(total: number): void {
    this.value = total;
  }
}

class Cells {
  readonly labels: readonly string[];
  readonly #maxCells: number;
  readonly #cells = new Map<string, { readonly values: readonly string[]; readonly cell: Cell }>();

  constructor(labels: readonly string[], maxCells: number, known: readonly (readonly string[])[]) {
    this.labels = labels;
    this.#maxCells = maxCells;
    for (const values of known) this.of(...values);
  }

  of(...values: readonly string[]): Cell {
    const key = values.join('\n');
    const there = this.#cells.get(key);
    if (there !== undefined) return there.cell;
    if (this.#cells.size >= this.#maxCells && key !== OTHER) return this.of(OTHER);
    const cell = new Cell();
    this.#cells.set(key, { values, cell });
    return cell;
  }

  clear(): void {
    this.#cells.clear();
  }

  /** Shows every cell to prom-client. */
  show(metric: { reset(): void; inc(labels: Record<string, string>, value: number): void }): void {
    metric.reset();
    for (const { values, cell } of this.#cells.values()) {
      metric.inc(Object.fromEntries(this.labels.map((label, i) => [label, values[i] ?? ''])), cell.value);
    }
  }
}

/** What a row of the table becomes in a registry. */
interface Row<Handle> {
  make(registry: Registry): Handle;
}

function cellsRow<Handle>(
  kind: typeof Counter | typeof Gauge,
  [name, help]: readonly [string, string],
  labels: readonly string[],
  handle: (cells: Cells) => Handle,
  bound: { readonly max: number; readonly known: readonly (readonly string[])[] },
): Row<Handle> {
  const make = (registry: Registry) => {
    const cells = new Cells(labels, bound.max, bound.known);
    new kind({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect: function () {
        cells.show(this);
      },
    });
    return handle(cells);
  };
  return { make };
}

const SINGLE = { max: 1, known: [[]] };
const tally = (name: string, help: string): Row<Tally> =>
  cellsRow(Counter, [name, help], [], (cells) => cells.of(), SINGLE);
const dial = (name: string, help: string): Row<Dial> =>
  cellsRow(Gauge, [name, help], [], (cells) => cells.of(), SINGLE);

/** Series for the `known` values are there from the start, so that a rate of them is right from the first event on. */
const tallies = <V extends string>(name: string, help: string, label: string, known: readonly V[]): Row<Tallies<V>> =>
  cellsRow(Counter, [name, help], [label], (cells) => cells, {
    max: known.length,
    known: known.map((value) => [value]),
  });

/** For values that somebody else names. */
const openTallies = (name: string, help: string, label: string): Row<Tallies> =>
  cellsRow(Counter, [name, help], [label], (cells) => cells, { max: MAX_OPEN_VALUES, known: [] });

/** Series come with their first use and go with `clear`: what is there is read anew at each scrape. */
const dials = <V extends readonly string[]>(
  name: string,
  help: string,
  labels: { [K in keyof V]: string },
): Row<Dials<V>> =>
  cellsRow(Gauge, [name, help], labels as readonly string[], (cells) => cells, {
    max: Number.POSITIVE_INFINITY,
    known: [],
  });

const histogram = (name: string, help: string, buckets: number[]): Row<{ observe(seconds: number): void }> => ({
  make: (registry) => new Histogram({ name, help, buckets, registers: [registry] }),
});

/** From what no client notices to what every user does. */
const GAP_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60];

export const CLOSE_REASONS = [
  ...['client-left', 'client-silent', 'client-slow', 'client-protocol', 'backend-error', 'backend-denied'],
  ...['outage', 'continuity', 'shutdown', 'internal'],
] as const;

const TABLE = {
  clients: dial('holdfast_clients', 'Connections of clients that are open.'),
  clientsMax: dial('holdfast_clients_max', 'limits.sessions: clients past it are refused.'),
  sessions: dials<[pod: string]>(
    'holdfast_sessions',
    'Sessions by the pod of their primary link; pod "" has none now.',
    ['pod'],
  ),
  links: dials<[pod: string, state: string]>('holdfast_links', 'Upstream links by pod and state.', ['pod', 'state']),
  clientCloses: tallies(
    'holdfast_client_closes_total',
    'Sessions that ended, by who or what ended them.',
    'reason',
    CLOSE_REASONS,
  ),
  handovers: tallies(
    'holdfast_handovers_total',
    'Moves of sessions: done (planned), kept (failed, the session stayed where it was), recovered (after a lost link), lost (given up).',
    'outcome',
    ['done', 'kept', 'recovered', 'lost'],
  ),
  handoverGap: histogram(
    'holdfast_handover_gap_seconds',
    'Longest time that a handover held a frame for the client.',
    GAP_BUCKETS,
  ),
  recoveryGap: histogram(
    'holdfast_recovery_gap_seconds',
    'From the loss of a link to the barrier of the next one.',
    GAP_BUCKETS,
  ),
  moves: tally('holdfast_moves_total', 'Sessions whose owner changed; with sessions per rollout: moves per user.'),
  bounces: tally(
    'holdfast_bounces_total',
    'Links that ended within 10 s of coming to life, the second one of a session and later ones.',
  ),
  messages: tallies('holdfast_messages_total', 'Frames passed on, by direction.', 'direction', ['to-client', 'to-pod']),
  resent: tally('holdfast_resent_total', 'SENDs with a receipt owed that were sent again on the next link.'),
  duplicatesDropped: tally(
    'holdfast_duplicates_dropped_total',
    'Messages with an id that the session had delivered already.',
  ),
  acksDropped: tally(
    'holdfast_acks_dropped_total',
    'ACK and NACK of deliveries whose link is gone; the broker gives those messages out again.',
  ),
  sequenceLost: tally('holdfast_sequence_lost_total', 'Sequence numbers that never came.'),
  sequenceReordered: tally('holdfast_sequence_reordered_total', 'Sequence numbers that came after a later one.'),
  sequenceDuplicated: tally('holdfast_sequence_duplicated_total', 'Sequence numbers that were delivered twice.'),
  gaps: tallies('holdfast_gaps_total', 'Moves told to sessions, by what is known of them.', 'continuity', [
    'proven',
    'unproven',
  ]),
  heldBytes: dial('holdfast_held_bytes', 'Bytes of frames that are held.'),
  heldBytesMax: dial('holdfast_held_bytes_max', 'hold.total: bytes from which clients that send are not read.'),
  heldFrames: dial('holdfast_held_frames', 'Frames that are held.'),
  paused: dials<[side: 'client' | 'link']>('holdfast_paused', 'Sockets that are not read now, by side.', ['side']),
  topologyStale: dial(
    'holdfast_topology_stale_seconds',
    'For how long the set of pods may have been out of date; 0 while healthy.',
  ),
  topologySource: dials<[source: string]>(
    'holdfast_topology_source',
    'Always 1; the label names where the pods come from: kubernetes, dns, file or static.',
    ['source'],
  ),
  topologyProblems: dial(
    'holdfast_topology_problems',
    'Things that are wrong with the set of pods now: no answer, slices, ports or addresses that cannot be used. The log says which.',
  ),
  topologyFailures: tally('holdfast_topology_failures_total', 'Failed reads of the set of pods.'),
  topologyChanges: tally('holdfast_topology_changes_total', 'Changes of the set of pods.'),
  pods: dials<[state: 'serving' | 'draining' | 'unready']>('holdfast_pods', 'Pods by state.', ['state']),
  ringInfo: dials<[version: string]>('holdfast_ring_info', 'Always 1; the label names the committed ring.', [
    'version',
  ]),
  governorQueue: dial('holdfast_governor_queue', 'Sessions that wait for their turn to be moved.'),
  governorInFlight: dial('holdfast_governor_in_flight', 'Links on their way to CONNECTED.'),
  governorRate: dial('holdfast_governor_rate', 'Moves that may start each second.'),
  protocolErrors: openTallies(
    'holdfast_protocol_errors_total',
    'Frames or sequences of frames that no STOMP client may send.',
    'code',
  ),
  authDenied: openTallies('holdfast_auth_denied_total', 'Clients and requests turned away, by reason.', 'reason'),
  httpRequests: openTallies(
    'holdfast_http_requests_total',
    'Plain HTTP requests on the listen port, by status.',
    'code',
  ),
  gatewayMessages: tallies(
    'holdfast_gateway_messages_total',
    'Messages at the gateway: delivered, offline, expired; bad (of the producer), refused (by a pod), busy (a bound), denied (no token).',
    'status',
    ['delivered', 'offline', 'expired', 'bad', 'refused', 'busy', 'denied'],
  ),
  gatewaySeconds: histogram(
    'holdfast_gateway_seconds',
    'From a whole request at the gateway to its answer.',
    GAP_BUCKETS,
  ),
  gatewayInFlight: dial('holdfast_gateway_in_flight', 'Messages at the gateway that have no answer yet.'),
  logLinesLost: tally(
    'holdfast_log_lines_lost_total',
    'Lines of the log that nobody will read, because stdout was full or gone.',
  ),
  ringStreams: dial('holdfast_ring_streams', 'Open streams of /v1/ring.'),
  workers: dial('holdfast_workers', 'Processes that serve clients; less than `workers` while one is started again.'),
  workerRestarts: tally(
    'holdfast_worker_restarts_total',
    'Workers that had ended by themselves and were started again.',
  ),
} satisfies Record<string, Row<unknown>>;

type Handles = { readonly [Key in keyof typeof TABLE]: ReturnType<(typeof TABLE)[Key]['make']> };

export interface Metrics extends Handles {
  /** Runs `read` before each scrape: for values that are cheaper to look up than to keep. */
  beforeScrape(read: () => void | Promise<void>): void;
  /** The one series of holdfast_ring_info. */
  ringIs(version: string): void;
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** What is there now, to be sent to another process and put together with others. */
  snapshot(): Promise<MetricsJson>;
}

/** All metrics of one process. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/**
 * One page of several processes: sums, as each counts what it does, and a limit is the sum of their shares. What is of the whole proxy
 * (pods, ring, topology) is set in one of them only. Of Node's own metrics prom-client knows which are averaged or left out.
 */
export async function mergedPage(processes: readonly MetricsJson[]): Promise<{ contentType: string; text: string }> {
  const registry = merged(processes);
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** What a process that is gone has counted: without it the sums would fall, and Prometheus would take that for a restart of all. */
export function countedBy(processes: readonly MetricsJson[]): Promise<MetricsJson> {
  const counts = processes.map((metrics) => metrics.filter(({ type }) => COUNTS.includes(String(type))));
  return merged(counts).getMetricsAsJSON();
}

const COUNTS = ['counter', 'histogram'];

function merged(processes: readonly MetricsJson[]): Registry {
  return AggregatorRegistry.aggregate([...processes]);
}

/** @param options.process also the metrics of the Node process, event loop lag among them; default true */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  const readers: (() => void | Promise<void>)[] = [];
  if (options.process ?? true) collectProcessMetrics(registry);
  const made = Object.entries(TABLE).map(([key, row]) => [key, row.make(registry)]);
  const handles: Handles = Object.fromEntries(made);
  const readAll = () => Promise.all(readers.map((read) => read()));
  return {
    ...handles,
    beforeScrape: (read) => void readers.push(read),
    ringIs: (version) => {
      handles.ringInfo.clear();
      handles.ringInfo.of(version).set(1);
    },
    scrape: async () => {
      await readAll();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    snapshot: async () => {
      await readAll();
      return registry.getMetricsAsJSON();
    },
  };
}

/** What costs more the more sockets there are: with 5,000 sessions a scrape that listed them took 40 ms of the event loop. */
const DEAR = [
  ...['nodejs_active_handles', 'nodejs_active_handles_total', 'nodejs_active_requests', 'nodejs_active_requests_total'],
  ...['nodejs_active_resources', 'nodejs_active_resources_total', 'process_open_fds'],
];

function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
  for (const name of DEAR) registry.removeSingleMetric(name);
  new Gauge({
    name: 'process_open_fds',
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      const count = await openFiles();
      if (count === undefined) this.remove();
      else this.set(count);
    },
  });
}
