/**
 * The producer: lanes of messages, each lane (one user and destination) with one message in flight.
 *
 * One in flight is what keeps the order: the next message starts when the one before it has ended, whichever pods it had
 * to ask. Lanes do not wait for each other.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Backoff } from './backoff.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { CLOSED, Delivery, type Ending, type World } from './delivery.ts';
import { ProducerError } from './errors.ts';
import { LaneBook } from './lane-book.ts';
import { checkDraft } from './message.ts';
import { RETRY_BURST_LOOKS, RetryBudget } from './retry-budget.ts';
import type { RingSource } from './ring-source.ts';
import { Suspects } from './suspects.ts';
import type { Message, Transport } from './transport.ts';
import { Waits } from './waits.ts';

/**
 * How a message ended. `attempts` counts the pods asked.
 * - `delivered`: the pod `pod` has handed it to the user's session.
 * - `offline`: every pod that could have the user says it has not, without a break, for `offlineAfterMs`. No client saw it.
 * - `expired`: the time to live ended before one of the two was certain. A client may or may not have seen it; sending it
 *   again with the same `id` is safe. `reason` is for people.
 */
export type Result =
  | { readonly status: 'delivered'; readonly pod: string; readonly id: string; readonly attempts: number }
  | { readonly status: 'offline'; readonly id: string; readonly attempts: number }
  | { readonly status: 'expired'; readonly id: string; readonly attempts: number; readonly reason: string };

export interface SendOptions {
  /** Names the message over all tries; a random UUID when absent. At most 128 characters. */
  readonly id?: string | undefined;
  /** `<stream>:<n>`; the producer's own count for this user and destination when absent. At most 128 characters. */
  readonly seq?: string | undefined;
  /** From now, waiting in the queue included. 1 to `maxTtlMs`. */
  readonly ttlMs?: number | undefined;
  readonly contentType?: string | undefined;
  /** More headers for the pod. At most 32, 4096 characters together. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface ProducerOptions {
  /** Closed by `close`. */
  readonly ring: RingSource;
  /** Closed by `close`. */
  readonly transport: Transport;
  /** For messages that name none. Default 10 s: a user behind a crashed pod is back well within it. */
  readonly ttlMs?: number;
  /** Default 60 s: as long as a proxy holds sessions that have no pod. */
  readonly maxTtlMs?: number;
  /**
   * How long all pods must deny the user before that counts as offline. Default 2 s: longer than a handover or a recovery
   * takes. With `ttlMs` or more nothing is ever offline: messages are kept for clients that come back within their ttl.
   */
  readonly offlineAfterMs?: number;
  /** How long one pod may take to answer. Default 2 s: a pod that hangs must leave time to ask the others. */
  readonly attemptTimeoutMs?: number;
  /** How many pods of each ring may hold a user: the depth of fallback by `owners`. Default 4. */
  readonly maxCandidates?: number;
  /** Messages of one user and destination that wait, the one in flight included. Default 256. */
  readonly maxQueuedPerLane?: number;
  /** All messages that wait or are in flight. Default 10,000. */
  readonly maxQueued?: number;
  /** Their bodies together. Default 64 MiB. */
  readonly maxQueuedBytes?: number;
  /** Users and destinations whose sequence numbers are remembered. Default 65,536, about 20 MiB. */
  readonly maxLanes?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly newId?: () => string;
}

export interface Producer {
  /** Throws `ProducerError`; see its codes. The bytes of `body` are not copied: leave them alone until the result is there. */
  send(user: string, destination: string, body: string | Uint8Array, options?: SendOptions): Promise<Result>;
  /**
   * No new messages; those accepted get `drainMs` (default 0) to end by themselves, then end as `expired`. Closes the
   * transport and the ring source.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
  /** Messages that wait or are in flight. */
  readonly queued: number;
}

/** The first retry comes while a handover's barrier is still fresh, later ones spare pods that many are asking. */
export const RETRY_BACKOFF: Backoff = { baseMs: 25, capMs: 500 };

interface Job {
  readonly draft: Omit<Message, 'seq'>;
  readonly seq: string | undefined;
  readonly deadline: number;
  /** Takes back the timer that ends the job should it still be waiting at its deadline. */
  cancelExpiry: () => void;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: ProducerError) => void;
}

export function createProducer(options: ProducerOptions): Producer {
  return new LaneProducer(options);
}

const DEFAULTS = {
  ttlMs: 10_000,
  maxTtlMs: 60_000,
  offlineAfterMs: 2_000,
  attemptTimeoutMs: 2_000,
  maxCandidates: 4,
  maxQueuedPerLane: 256,
  maxQueued: 10_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxLanes: 65_536,
};

type Limits = typeof DEFAULTS;

function limitsOf(options: ProducerOptions): Limits {
  const limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof Limits)[]) {
    const value = options[name] ?? DEFAULTS[name];
    if (!Number.isFinite(value) || value < 1) throw new RangeError(`${name} must be a number from 1, not ${value}`);
    limits[name] = value;
  }
  if (limits.ttlMs > limits.maxTtlMs) {
    throw new RangeError(`ttlMs (${limits.ttlMs}) must not be more than maxTtlMs (${limits.maxTtlMs})`);
  }
  return limits;
}

class LaneProducer implements Producer {
  readonly #world: World;
  readonly #limits: Limits;
  readonly #book: LaneBook;
  readonly #newId: () => string;
  readonly #lanes = new Map<string, Job[]>();
  #queued = 0;
  #queuedBytes = 0;
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(options: ProducerOptions) {
    const { ring, transport, clock = systemClock, random = Math.random, newId = randomUUID } = options;
    this.#limits = limitsOf(options);
    this.#newId = newId;
    this.#book = new LaneBook({
      maxLanes: this.#limits.maxLanes,
      streamPrefix: randomBytes(9).toString('base64url'),
      absenceProvenAfterMs: this.#limits.offlineAfterMs,
    });
    this.#world = {
      ...{ ring, transport, clock, random, suspects: new Suspects(), waits: new Waits(clock), backoff: RETRY_BACKOFF },
      ...{ attemptTimeoutMs: this.#limits.attemptTimeoutMs, maxWalk: this.#limits.maxCandidates },
      budget: new RetryBudget(clock, RETRY_BURST_LOOKS * this.#limits.maxCandidates),
    };
  }

  get queued(): number {
    return this.#queued;
  }

  async send(user: string, destination: string, body: string | Uint8Array, options: SendOptions = {}): Promise<Result> {
    if (this.#closing !== undefined) throw new ProducerError('closed', CLOSED);
    checkDraft({ ...options, user, destination });
    const ttlMs = this.#ttlMs(options.ttlMs);
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const key = `${user}\n${destination}`;
    this.#checkRoom(key, bytes.byteLength);
    const { id = this.#newId(), seq, contentType, headers } = options;
    return new Promise((resolve, reject) => {
      const draft = { user, destination, body: bytes, id, contentType, headers };
      const deadline = this.#world.clock.now() + ttlMs;
      this.#enqueue(key, { draft, seq, deadline, cancelExpiry: () => {}, resolve, reject }, ttlMs);
    });
  }

  close({ drainMs = 0 } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    if (this.#queued === 0) this.#onIdle();
    else if (drainMs > 0) await Promise.race([idle, this.#world.waits.sleep(drainMs)]);
    this.#world.waits.close();
    await this.#world.transport.close();
    await idle;
    this.#world.ring.close();
  }

  #ttlMs(asked: number | undefined): number {
    const { ttlMs, maxTtlMs } = this.#limits;
    const value = asked ?? ttlMs;
    if (!(value >= 1 && value <= maxTtlMs)) {
      throw new ProducerError('bad-message', `ttl must be from 1 to ${maxTtlMs} milliseconds`);
    }
    return value;
  }

  #checkRoom(key: string, bytes: number): void {
    const { maxQueued, maxQueuedBytes, maxQueuedPerLane } = this.#limits;
    if ((this.#lanes.get(key)?.length ?? 0) >= maxQueuedPerLane) {
      throw full(`${maxQueuedPerLane} messages of this user and destination`);
    }
    if (this.#queued >= maxQueued) throw full(`${maxQueued} messages`);
    if (this.#queuedBytes + bytes > maxQueuedBytes)
      throw full(`messages with more than ${maxQueuedBytes} bytes of body`);
  }

  #enqueue(key: string, job: Job, ttlMs: number): void {
    this.#queued += 1;
    this.#queuedBytes += job.draft.body.byteLength;
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      const opened = [job];
      this.#lanes.set(key, opened);
      void this.#work(key, opened);
      return;
    }
    lane.push(job);
    job.cancelExpiry = this.#world.clock.after(ttlMs, () => this.#expireWaiting(lane, job));
  }

  async #work(key: string, lane: Job[]): Promise<void> {
    for (let job = lane[0]; job !== undefined; job = lane[0]) {
      job.cancelExpiry();
      const ending = await this.#deliver(key, job);
      // First make room, then tell: who answers a result with the next message must find its place free.
      lane.shift();
      this.#leave(job);
      settle(job, ending);
    }
    this.#lanes.delete(key);
  }

  async #deliver(key: string, job: Job): Promise<Ending> {
    const lane = this.#book.use(key);
    const message = { ...job.draft, seq: job.seq ?? lane.seq };
    const ending = await new Delivery(this.#world, message, job.deadline, lane.absence).run();
    if (job.seq === undefined && ending.mayHaveLeft) lane.advance();
    return ending;
  }

  #expireWaiting(lane: Job[], job: Job): void {
    lane.splice(lane.indexOf(job), 1);
    this.#leave(job);
    const reason = 'the messages before it to the same user and destination took all its time';
    settle(job, { status: 'expired', reason, attempts: 0, mayHaveLeft: false });
  }

  #leave(job: Job): void {
    this.#queued -= 1;
    this.#queuedBytes -= job.draft.body.byteLength;
    if (this.#queued === 0) this.#onIdle();
  }
}

function settle(job: Job, ending: Ending): void {
  const { id } = job.draft;
  const { attempts } = ending;
  if (ending.status === 'refused') job.reject(new ProducerError('refused', ending.reason));
  else if (ending.status === 'delivered') job.resolve({ status: 'delivered', pod: ending.pod, id, attempts });
  else if (ending.status === 'expired') job.resolve({ status: 'expired', id, attempts, reason: ending.reason });
  else job.resolve({ status: 'offline', id, attempts });
}

function full(what: string): ProducerError {
  return new ProducerError('queue-full', `the queue is full: ${what} are waiting already; try again later`);
}
