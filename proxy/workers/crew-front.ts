/**
 * The front that is several processes. This one, the primary, has no clients: it has what the proxy has once (pods, the rings that
 * producers follow, the gateway) and brings together what the workers have.
 *
 * It takes part in the commit with a routing of its own, without sessions, so its rings are what producers may follow.
 */
import { randomBytes } from 'node:crypto';
import type { SessionCounts } from '../admin/index.ts';
import type { Config, HostPort } from '../config/index.ts';
import type { Topology } from '../discovery/index.ts';
import { CLOSE_MAX_S, createFront, type Front } from '../front.ts';
import type { Log } from '../log.ts';
import { countedBy, type Metrics, type MetricsJson, mergedPage } from '../metrics.ts';
import { COMMIT_MAX_MS } from '../settings.ts';
import { CommitGate } from './commit-gate.ts';
import { Crew } from './crew.ts';
import { Directory } from './directory.ts';
import type { Facts } from './messages.ts';

/** This process among those that commit; workers count from 0. */
const PRIMARY = -1;
/** For what a worker does between telling its last client to go and its end: closing handshakes, and a busy machine. */
const END_MAX_MS = 6_000;
const SECRET_BYTES = 32;

const now = () => performance.now();

export function createCrewFront(config: Config, metrics: Metrics, log: Log): Front {
  return new CrewFront(config, metrics, log);
}

class CrewFront implements Front {
  readonly #config: Config;
  readonly #metrics: Metrics;
  readonly #own: ReturnType<typeof createFront>;
  readonly #crew: Crew;
  readonly #gate = new CommitGate(COMMIT_MAX_MS);
  readonly #directory = new Directory();
  /** What each worker told last. */
  readonly #lastFacts = new Map<number, Facts>();
  /** What workers had counted that are gone, as of the last page that they were on. */
  #departed: Promise<MetricsJson> = Promise.resolve([]);
  #topology: Topology | undefined;
  #gateTimer: NodeJS.Timeout | undefined;

  constructor(config: Config, metrics: Metrics, log: Log) {
    this.#config = config;
    this.#metrics = metrics;
    this.#own = createFront(config, metrics, log);
    // The limits of the proxy are the shares of its workers.
    for (const limit of [metrics.governorRate, metrics.heldBytesMax, metrics.clientsMax]) limit.set(0);
    this.#crew = new Crew(config, randomBytes(SECRET_BYTES).toString('hex'), log, {
      serves: (index) => this.#serves(index),
      decided: (index, { ready, users }) => {
        this.#directory.note(index, users, now());
        this.#ready(index, ready);
      },
      gone: (index) => this.#gone(index),
      restarted: () => metrics.workerRestarts.inc(),
    });
    this.#gate.joins(PRIMARY);
    this.#own.board.followedBy({ decided: (ready) => this.#ready(PRIMARY, ready) });
    metrics.beforeScrape(() => metrics.workers.set(this.#crew.serving.length));
  }

  get facts() {
    const { board } = this.#own;
    return {
      rings: () => board.rings(),
      onRing: (changed: () => void) => board.onRing(changed),
      keyOf: (user: string) => this.#directory.keyOf(user),
      isMoving: (user: string) => this.#directory.isMoving(user, now()),
    };
  }

  topology(topology: Topology): void {
    this.#topology = topology;
    this.#own.topology(topology);
    this.#crew.tellAll({ type: 'topology', topology });
  }

  /** With one worker away the others serve their users: more than a proxy that takes nobody. */
  readiness() {
    const serving = this.#crew.serving.length;
    const { workers } = this.#config;
    const reasons = serving === workers ? [] : [`${workers - serving} of ${workers} workers are being started again`];
    return { isServing: serving > 0, reasons };
  }

  async sessions(): Promise<SessionCounts> {
    const facts = await this.#ask();
    return summed([...facts.values()].map(({ sessions }) => sessions));
  }

  async scrape() {
    const facts = await this.#ask();
    const own = await this.#metrics.snapshot();
    return mergedPage([own, await this.#departed, ...[...facts.values()].map(({ metrics }) => metrics)]);
  }

  listen(_at: HostPort): Promise<HostPort> {
    return this.#crew.start();
  }

  async dismiss(): Promise<void> {
    await this.#crew.dismiss(CLOSE_MAX_S * 1000 + END_MAX_MS);
    await this.#own.dismiss();
  }

  async close(): Promise<void> {
    clearTimeout(this.#gateTimer);
    await this.#crew.end(END_MAX_MS);
    await this.#own.close();
  }

  async #ask(): Promise<ReadonlyMap<number, Facts>> {
    const facts = await this.#crew.ask();
    for (const [index, told] of facts) this.#lastFacts.set(index, told);
    return facts;
  }

  #serves(index: number): void {
    this.#gate.joins(index);
    if (this.#topology !== undefined) this.#crew.tell(index, { type: 'topology', topology: this.#topology });
  }

  #gone(index: number): void {
    this.#directory.forget(index);
    const last = this.#lastFacts.get(index);
    this.#lastFacts.delete(index);
    if (last !== undefined) this.#departed = this.#departed.then((before) => countedBy([before, last.metrics]));
    this.#gate.leaves(index, now());
    this.#commit();
  }

  #ready(member: number, version: string | undefined): void {
    this.#gate.ready(member, version, now());
    // One that has just come knows nothing of what was committed before.
    if (version !== undefined && version === this.#gate.committed) this.#permit(member, version);
    this.#commit();
  }

  #commit(): void {
    const version = this.#gate.decide(now());
    if (version !== undefined) {
      this.#permit(PRIMARY, version);
      this.#crew.tellAll({ type: 'commit', version });
    }
    clearTimeout(this.#gateTimer);
    const waitMs = this.#gate.nextDeadline() - now();
    if (waitMs !== Number.POSITIVE_INFINITY) this.#gateTimer = setTimeout(() => this.#commit(), Math.max(0, waitMs));
  }

  #permit(member: number, version: string): void {
    if (member === PRIMARY) this.#own.board.permitCommit(version);
    else this.#crew.tell(member, { type: 'commit', version });
  }
}

function summed(all: readonly SessionCounts[]): SessionCounts {
  return {
    sessions: all.reduce((sum, { sessions }) => sum + sessions, 0),
    byPod: summedByName(all.map(({ byPod }) => byPod)),
    byState: summedByName(all.map(({ byState }) => byState)),
  };
}

function summedByName(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const counts of all) for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
