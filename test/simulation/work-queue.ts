/**
 * A broker's queue that all pods share: each job goes to one of those who consume it, and what is not acknowledged when its
 * link ends is given out again, and marked. Ids of deliveries count from 1 on each link, so those of two links are the same.
 */
import type { Frame } from '../../stomp/index.ts';
import { encode } from '../../stomp/index.ts';
import type { Agenda } from './agenda.ts';
import { must } from './violation.ts';
import type { Wire } from './wire.ts';

export const WORK = '/queue/work';
export type AckMode = 'client' | 'client-individual';

interface Job {
  readonly body: string;
  isRedelivered: boolean;
}

interface Consumer {
  readonly subscription: string;
  readonly isAlive: () => boolean;
  readonly open: Map<string, Job>;
  last: number;
}

/** How often it looks for links that have ended. */
const LOOK_MS = 100;

export class WorkQueue {
  readonly #agenda: Agenda;
  readonly #mode: AckMode;
  readonly #waiting: Job[] = [];
  readonly #consumers = new Map<Wire, Consumer>();
  #turn = 0;
  #isLooking = false;

  constructor(agenda: Agenda, mode: AckMode) {
    this.#agenda = agenda;
    this.#mode = mode;
  }

  /** Jobs that are not acknowledged. */
  get open(): number {
    let open = this.#waiting.length;
    for (const consumer of this.#consumers.values()) open += consumer.open.size;
    return open;
  }

  put(body: string): void {
    this.#waiting.push({ body, isRedelivered: false });
    this.#giveOut();
  }

  /** @param isAlive whether the pod still has the link */
  consume(wire: Wire, subscription: string, isAlive: () => boolean): void {
    this.#consumers.set(wire, { subscription, isAlive, open: new Map(), last: 0 });
    this.#giveOut();
  }

  /** The link has ended, or its subscription. */
  leave(wire: Wire): void {
    const consumer = this.#consumers.get(wire);
    this.#consumers.delete(wire);
    for (const job of consumer?.open.values() ?? []) this.#again(job);
    this.#giveOut();
  }

  /** ACK or NACK; the client says in a header of its own which job it means. */
  answer(wire: Wire, frame: Frame): void {
    const consumer = this.#consumers.get(wire);
    const id = frame.header('id') ?? '';
    const job = consumer?.open.get(id);
    const isRight = job !== undefined && job.body === frame.header('job');
    must(isRight, 'an ACK only to its own link', () => `${frame.command} ${id} of job ${frame.header('job')}`);
    if (consumer === undefined || job === undefined) return;
    for (const [earlier] of consumer.open) {
      if (this.#mode === 'client' || earlier === id) consumer.open.delete(earlier);
      if (earlier === id) break;
    }
    if (frame.command === 'NACK') this.#again(job);
    this.#giveOut();
  }

  #again(job: Job): void {
    job.isRedelivered = true;
    this.#waiting.unshift(job);
  }

  #giveOut(): void {
    this.#lookSoon();
    const consumers = [...this.#consumers].filter(([, { isAlive }]) => isAlive());
    if (consumers.length === 0) return;
    for (const job of this.#waiting.splice(0)) {
      const [wire, consumer] = consumers[this.#turn++ % consumers.length] ?? [];
      if (wire === undefined || consumer === undefined) return;
      const ack = `${++consumer.last}`;
      consumer.open.set(ack, job);
      const { subscription } = consumer;
      wire.deliver(
        encode(
          'MESSAGE',
          {
            ...{ subscription, destination: WORK, 'message-id': `w-${ack}`, ack, 'holdfast-id': `job-${job.body}` },
            redelivered: job.isRedelivered ? 'true' : 'false',
          },
          job.body,
        ),
      );
    }
  }

  #lookSoon(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#agenda.after(LOOK_MS, () => {
      this.#isLooking = false;
      for (const [wire, { isAlive }] of [...this.#consumers]) if (!isAlive()) this.leave(wire);
      if (this.open > 0) this.#lookSoon();
    });
  }
}
