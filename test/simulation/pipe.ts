/**
 * One direction of a connection: in order, with a latency, and with chunks that are split and merged as TCP likes.
 *
 * It can be stopped by its reader (`pause`), by the network (`holdUntil`), and it can end (`cutAt`): what arrives later is lost.
 */
import type { Agenda } from './agenda.ts';
import type { Dice } from './dice.ts';

export interface Network {
  readonly agenda: Agenda;
  readonly dice: Dice;
  readonly latencyMs: number;
  /** The proxy does not run until then. */
  readonly frozenUntilMs: number;
}

interface Item {
  readonly atMs: number;
  readonly run: () => void;
}

const SPLIT = 0.1;
const MERGE = 0.15;

export class Pipe {
  readonly #network: Network;
  readonly #receive: (bytes: Uint8Array) => void;
  readonly #intoProxy: boolean;
  #queue: Item[] = [];
  #lastMs = 0;
  #merging: Uint8Array[] | undefined;
  #pumpMs = Number.POSITIVE_INFINITY;
  #isPaused = false;
  #holdUntilMs = 0;
  #cutMs = Number.POSITIVE_INFINITY;

  constructor(network: Network, intoProxy: boolean, receive: (bytes: Uint8Array) => void) {
    this.#network = network;
    this.#intoProxy = intoProxy;
    this.#receive = receive;
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Whether what arrives now is still received. */
  get isCut(): boolean {
    return this.#network.agenda.now >= this.#cutMs;
  }

  send(bytes: Uint8Array, delayMs = 0): void {
    const { dice } = this.#network;
    if (this.#merging !== undefined) {
      this.#merging.push(bytes);
      return;
    }
    if (dice.chance(SPLIT) && bytes.length > 1) {
      const middle = Math.ceil(dice.next() * (bytes.length - 1));
      this.push(() => this.#receive(bytes.subarray(0, middle)), delayMs);
      this.push(() => this.#receive(bytes.subarray(middle)), 0);
    } else if (dice.chance(MERGE) && delayMs === 0) this.#merge(bytes);
    else this.push(() => this.#receive(bytes), delayMs);
  }

  /** Everything that is sent before this has arrived arrives as one. */
  #merge(bytes: Uint8Array): void {
    const merging = [bytes];
    this.#merging = merging;
    this.push(() => {
      this.#merging = undefined;
      this.#receive(concatenated(merging));
    }, 0);
  }

  /** Something else that happens in the order of the bytes: the connection opens, or ends. */
  push(run: () => void, delayMs = 0): void {
    const { agenda, dice, latencyMs } = this.#network;
    this.#lastMs = Math.max(this.#lastMs, agenda.now + delayMs + dice.between(0, latencyMs));
    this.#queue.push({ atMs: this.#lastMs, run });
    if (this.#queue.length === 1) this.#schedule();
  }

  pause(paused: boolean): void {
    this.#isPaused = paused;
    this.#schedule();
  }

  /** Nothing arrives before. */
  holdUntil(ms: number): void {
    this.#holdUntilMs = Math.max(this.#holdUntilMs, ms);
  }

  cutAt(ms: number): void {
    this.#cutMs = Math.min(this.#cutMs, ms);
  }

  #schedule(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#isPaused) return;
    const atMs = Math.max(first.atMs, this.#readyMs(), this.#network.agenda.now);
    if (atMs >= this.#pumpMs || atMs === Number.POSITIVE_INFINITY) return;
    this.#pumpMs = atMs;
    this.#network.agenda.at(atMs, () => this.#pump(atMs));
  }

  #readyMs(): number {
    return this.#intoProxy ? Math.max(this.#holdUntilMs, this.#network.frozenUntilMs) : this.#holdUntilMs;
  }

  /** One item a step, so that safety is checked between any two. */
  #pump(scheduledMs: number): void {
    if (this.#pumpMs !== scheduledMs) return;
    this.#pumpMs = Number.POSITIVE_INFINITY;
    const { now } = this.#network.agenda;
    const [first] = this.#queue;
    if (first === undefined || this.#isPaused) return;
    if (first.atMs > now || this.#readyMs() > now) return this.#schedule();
    this.#queue.shift();
    if (now < this.#cutMs) first.run();
    else this.#queue = [];
    this.#schedule();
  }
}

function concatenated(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
