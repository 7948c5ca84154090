/** What has reached one client: checked on arrival, and kept for the questions that can be asked only at the end. */
import type { Frame } from '../../stomp/index.ts';
import type { Agenda } from './agenda.ts';
import { must } from './violation.ts';
import { WORK } from './work-queue.ts';

export class Inbox {
  /** Numbers of messages in the order of delivery, by destination. */
  readonly delivered = new Map<string, number[]>();
  /** Jobs that came. */
  readonly jobs = new Set<string>();
  /** How often each receipt that was asked for has come. */
  readonly receipts = new Map<string, number>();
  /** When a gap was announced, and when a move was called proven. */
  readonly unprovenAtMs: number[] = [];
  readonly provenAtMs: number[] = [];
  errors = 0;
  /** The event at hand is a callback of a link that is over. */
  isLate = false;
  /** The first number that came, by destination. */
  readonly #baselines = new Map<string, number>();
  readonly #name: string;
  readonly #agenda: Agenda;
  readonly #mayBeLate: (destination: string, n: number) => boolean;

  /** @param mayBeLate whether a message may still come after later ones, as docs/PRODUCERS.md says */
  constructor(name: string, agenda: Agenda, mayBeLate: (destination: string, n: number) => boolean) {
    this.#name = name;
    this.#agenda = agenda;
    this.#mayBeLate = mayBeLate;
  }

  receive(read: Frame): void {
    switch (read.command) {
      case 'RECEIPT':
        return this.#receipt(read.header('receipt-id') ?? '');
      case 'MESSAGE':
        return this.#message(destinationOf(read), new TextDecoder().decode(read.body), read);
      case 'ERROR':
        this.errors++;
    }
  }

  #receipt(id: string): void {
    const times = this.receipts.get(id);
    must(times !== undefined, 'answers to our own frames stay hidden', () => `${this.#name} never asked for ${id}`);
    must(times === 0, 'each receipt once', () => `${this.#name} got ${id} again`);
    this.receipts.set(id, 1);
  }

  /**
   * Order is promised from the first number of a stream that a session has seen: before that nothing tells a client that
   * subscribes in the middle of a stream from one whose first message is late.
   *
   * A lane keeps the order of messages that are sent one after the other's end. One that has ended as `expired`, or that another
   * pod has taken after one hung, may still be under way to a pod, and the producer goes on with the next: it is late then, not
   * swapped (docs/PRODUCERS.md). A session that has had it drops it by its id.
   */
  #message(destination: string, body: string, read: Frame): void {
    if (destination === '/holdfast/session') return this.#notice(JSON.parse(body));
    if (destination === WORK) return this.#job(body, read.header('redelivered') === 'true');
    const list = this.delivered.get(destination) ?? [];
    this.delivered.set(destination, list);
    const n = Number(body);
    must(!list.includes(n), 'once', () => `${this.#name} got message ${n} of ${destination} twice`);
    const baseline = this.#baselines.get(destination) ?? n;
    this.#baselines.set(destination, baseline);
    const last = Math.max(0, ...list.filter((each) => each < baseline === n < baseline));
    const isLate = n < last && this.#mayBeLate(destination, n);
    must(n > last || isLate, 'in order', () => `${this.#name} got message ${n} of ${destination} after ${last}`);
    list.push(n);
  }

  /** A shared queue has no order, and gives out again what was not acknowledged. */
  #job(body: string, isRedelivered: boolean): void {
    must(isRedelivered || !this.jobs.has(body), 'a repeat is marked', () => `${this.#name} got job ${body} again`);
    this.jobs.add(body);
  }

  #notice({ continuity }: { continuity: string }): void {
    (continuity === 'proven' ? this.provenAtMs : this.unprovenAtMs).push(this.#agenda.now);
  }
}

/** The ticker's producers count for themselves. */
function destinationOf(message: Frame): string {
  const producer = message.header('producer');
  const destination = message.header('destination') ?? '';
  return producer === undefined ? destination : `${destination} of ${producer}`;
}
