/**
 * The worker processes: started, started again when they end, told and heard, and stopped.
 *
 * They accept clients on one listening socket that the system shares out (SCHED_NONE): whoever accepts a client hands it to its home
 * anyway, so it matters little who that is.
 */
import cluster, { type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Config, HostPort } from '../config/index.ts';
import type { Log } from '../log.ts';
import { programFile } from '../program-file.ts';
import { HandQueue } from './hand-queue.ts';
import type { Facts, Hand, ToPrimary, ToWorker } from './messages.ts';
import { Restarts } from './restarts.ts';

export interface CrewEvents {
  /** A worker serves from now on. */
  serves(index: number): void;
  decided(index: number, decided: Extract<ToPrimary, { type: 'decided' }>): void;
  /** A worker is gone, with all its sessions. */
  gone(index: number): void;
  /** It has been started again. */
  restarted(index: number): void;
}

/** What is known of a worker while it lives. */
interface Member {
  readonly worker: Worker;
  readonly hands: HandQueue<Hand>;
  readonly startedAtMs: number;
  /** Of its inner door; undefined until it serves. */
  doorPort: number | undefined;
}

/** For an answer to a question; an event loop that is blocked for longer has other troubles than a page without it. */
const ANSWER_MAX_MS = 2_000;
/** To start: to load the program on a machine that is busy with starting all others. */
const START_MAX_MS = 60_000;

export class Crew {
  readonly #config: Config;
  readonly #secret: string;
  readonly #log: Log;
  readonly #events: CrewEvents;
  readonly #members = new Map<number, Member>();
  readonly #restarts = new Map<number, Restarts>();
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #onMessage = new Set<(index: number, message: ToPrimary) => void>();
  readonly #onGone = new Set<(index: number) => void>();
  #questions = 0;
  #isStopping = false;

  constructor(config: Config, secret: string, log: Log, events: CrewEvents) {
    this.#config = config;
    this.#secret = secret;
    this.#log = log;
    this.#events = events;
  }

  /** Workers that serve. */
  get serving(): number[] {
    return [...this.#members].flatMap(([index, { doorPort }]) => (doorPort === undefined ? [] : [index]));
  }

  /** Starts all; rejects when one of them cannot serve, and all are gone then. */
  async start(): Promise<HostPort> {
    cluster.setupPrimary({ exec: programFile('./workers/main'), args: [], serialization: 'advanced' });
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    try {
      const first = await this.#startOne(0);
      const rest = Array.from({ length: this.#config.workers - 1 }, (_, n) => this.#startOne(n + 1));
      await Promise.all(rest);
      return first;
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  tell(index: number, message: ToWorker): void {
    const worker = this.#members.get(index)?.worker;
    if (worker?.isConnected()) worker.send(message);
  }

  tellAll(message: ToWorker): void {
    for (const index of this.serving) this.tell(index, message);
  }

  /** The facts of each worker that answers in time. */
  async ask(): Promise<Map<number, Facts>> {
    const question = ++this.#questions;
    const facts = new Map<number, Facts>();
    const missing = new Set(this.serving);
    if (missing.size === 0) return facts;
    this.tellAll({ type: 'ask', question });
    await this.#until((done) => ({
      message: (index, message) => {
        if (message.type !== 'answer' || message.question !== question) return;
        facts.set(index, message.facts);
        if (missing.delete(index) && missing.size === 0) done();
      },
      gone: (index) => {
        if (missing.delete(index) && missing.size === 0) done();
      },
      maxMs: ANSWER_MAX_MS,
    }));
    return facts;
  }

  /** No more clients; resolves when each worker has told its last one to go, at latest after `maxMs`. */
  async dismiss(maxMs: number): Promise<void> {
    this.#startNoMore();
    const busy = new Set(this.#members.keys());
    if (busy.size === 0) return;
    for (const index of busy) this.tell(index, { type: 'stop' });
    await this.#until((done) => ({
      message: (index, { type }) => {
        if (type === 'dismissed' && busy.delete(index) && busy.size === 0) done();
      },
      gone: (index) => {
        if (busy.delete(index) && busy.size === 0) done();
      },
      maxMs,
    }));
  }

  /** Resolves when all workers have ended; who has not after `maxMs` is killed. */
  async end(maxMs: number): Promise<void> {
    if (this.#members.size === 0) return;
    const isDone = () => this.#members.size === 0;
    await this.#until((done) => ({ message: () => {}, gone: () => isDone() && done(), maxMs }));
    this.kill();
  }

  kill(): void {
    this.#startNoMore();
    for (const { worker } of this.#members.values()) worker.process.kill('SIGKILL');
  }

  #startNoMore(): void {
    this.#isStopping = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  /** Waits for something that messages and ends of workers bring about, in bounds. */
  async #until(
    listen: (done: () => void) => {
      message: (index: number, message: ToPrimary) => void;
      gone: (index: number) => void;
      maxMs: number;
    },
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { message, gone, maxMs } = listen(resolve);
    const timer = setTimeout(resolve, maxMs);
    this.#onMessage.add(message);
    this.#onGone.add(gone);
    await promise;
    clearTimeout(timer);
    this.#onMessage.delete(message);
    this.#onGone.delete(gone);
  }

  /** Resolves with the address once the worker serves. */
  async #startOne(index: number): Promise<HostPort> {
    const worker = cluster.fork();
    const hands = new HandQueue<Hand>((hand, socket, done) => worker.send(hand, socket, {}, done));
    const member: Member = { worker, hands, startedAtMs: performance.now(), doorPort: undefined };
    this.#members.set(index, member);
    const { promise, resolve, reject } = Promise.withResolvers<HostPort>();
    const late = () => worker.process.kill('SIGKILL');
    const timer = setTimeout(late, START_MAX_MS);
    worker.on('message', (message: ToPrimary, socket?: Socket) => {
      if (message.type === 'serving') {
        clearTimeout(timer);
        this.#serves(index, member, message.doorPort);
        resolve(message.listen);
      } else if (message.type === 'failed') reject(Object.assign(new Error(message.message), { code: message.code }));
      else this.#heard(index, message, socket);
    });
    worker.on('error', (error) =>
      this.#log.warn({ worker: index, err: error }, 'a worker could not be told something'),
    );
    worker.once('exit', (code: number | null, signal: string | null) => {
      clearTimeout(timer);
      reject(new Error(`worker ${index} has ended (${signal ?? code}) before it served`));
      this.#ended(index, member, signal ?? String(code));
    });
    this.tell(index, { type: 'start', index, config: this.#config, secret: this.#secret });
    return promise;
  }

  #serves(index: number, member: Member, doorPort: number): void {
    member.doorPort = doorPort;
    this.#log.info({ worker: index, pid: member.worker.process.pid }, 'worker serves');
    this.#tellDoors();
    this.#events.serves(index);
  }

  #tellDoors(): void {
    const ports = Array.from({ length: this.#config.workers }, (_, index) => this.#members.get(index)?.doorPort);
    this.tellAll({ type: 'doors', ports });
  }

  #heard(index: number, message: ToPrimary, socket: Socket | undefined): void {
    if (message.type === 'hand') this.#pass(message, socket);
    else if (message.type === 'decided') this.#events.decided(index, message);
    for (const listener of this.#onMessage) listener(index, message);
  }

  /** The connection goes on to its home at once, before this process could read of it. A home that is away lets it fall: the client comes back. */
  #pass(hand: Hand, socket: Socket | undefined): void {
    if (socket === undefined) return;
    const home = this.#members.get(hand.home);
    if (home?.doorPort === undefined || !home.worker.isConnected()) socket.destroy();
    else home.hands.pass(hand, socket);
  }

  #ended(index: number, member: Member, how: string): void {
    this.#members.delete(index);
    member.hands.cut();
    for (const listener of this.#onGone) listener(index);
    if (member.doorPort !== undefined) this.#events.gone(index);
    if (this.#isStopping) return;
    this.#tellDoors();
    const restarts = this.#restarts.get(index) ?? new Restarts();
    this.#restarts.set(index, restarts);
    const waitMs = restarts.ended(performance.now() - member.startedAtMs);
    this.#log.error({ worker: index, how, sessionsLost: true, againInMs: waitMs }, 'a worker has ended by itself');
    this.#timers.set(
      index,
      setTimeout(() => this.#restart(index), waitMs),
    );
  }

  #restart(index: number): void {
    this.#timers.delete(index);
    this.#events.restarted(index);
    this.#startOne(index).catch((error: unknown) => {
      this.#log.error({ worker: index, err: error }, 'a worker could not be started again');
      this.#members.get(index)?.worker.process.kill('SIGKILL');
    });
  }
}
