/** All that is known of clients while chaos goes on: two ledgers, closes, and what they were told on /holdfast/session. */
import type { ClientEvent } from '../experiment/clients-messages.ts';
import { type Finding, type Lane, Ledger, type Outcome } from '../ledger/ledger.ts';

/** Where messages go while faults come. */
export const DESTINATIONS = ['/queue/news', '/queue/orders'];
/** Where one goes when all is mended, to see that every session lives. */
export const PROBE = '/queue/probe';

export interface Gap {
  readonly user: string;
  /** When it was told. */
  readonly atMs: number;
  /** How long the session had no pod before that. */
  readonly lastedMs: number;
  readonly from: string;
  readonly planned: boolean;
}

export class Record {
  ledger = new Ledger();
  probes = new Ledger();
  closes = 0;
  /** What the ERROR frames said, and how often. */
  readonly errors = new Map<string, number>();
  moves = 0;
  /** Moves that were told as unproven, of the round. */
  gaps: Gap[] = [];
  /** What producers were told of messages that are not delivered to their knowledge, of the round. */
  readonly #refusals = new Map<string, Outcome>();
  /** How often they were told so, in all. */
  readonly refused: globalThis.Record<string, number> = {};

  /** A round has ends of its own: what it has sent, it has settled. */
  nextRound(): void {
    this.ledger = new Ledger();
    this.probes = new Ledger();
    this.gaps = [];
    this.#refusals.clear();
  }

  refuse(lane: Lane, n: number, outcome: Outcome): void {
    this.#refusals.set(keyOf(lane, n), outcome);
    this.refused[outcome] = (this.refused[outcome] ?? 0) + 1;
  }

  /**
   * Out of order because its producer had given it up: it was told `expired` or `failed`, sent the next one, and then the
   * pod that had it all the time woke up.
   */
  isLate({ kind, n, ...lane }: Finding): boolean {
    return kind === 'reordered' && this.#refusals.has(keyOf(lane, n));
  }

  add(event: ClientEvent): void {
    switch (event.type) {
      case 'message':
        return (event.destination === PROBE ? this.probes : this.ledger).received(event, event.n, event.atMs);
      case 'closed':
        this.closes++;
        return;
      case 'error':
        this.errors.set(event.message, (this.errors.get(event.message) ?? 0) + 1);
        return;
      case 'notice':
        return this.#notice(event);
    }
  }

  #notice({ user, body, atMs }: Extract<ClientEvent, { type: 'notice' }>): void {
    const { type, from, planned, continuity, gapMs } = JSON.parse(body) as globalThis.Record<string, unknown>;
    if (type !== 'moved') return;
    this.moves++;
    if (continuity !== 'proven') {
      this.gaps.push({ user, atMs, lastedMs: Number(gapMs), from: String(from), planned: planned === true });
    }
  }
}

function keyOf({ user, destination }: Lane, n: number): string {
  return `${user} ${destination} ${n}`;
}

/** Lost messages of which the user was not told: no unproven move whose gap begins within `withinMs` and ends after they were sent. */
export function unannounced(lost: readonly Finding[], gaps: readonly Gap[], withinMs: number): Finding[] {
  const byUser = Map.groupBy(gaps, ({ user }) => user);
  return lost.filter(
    ({ user, atMs }) =>
      !byUser.get(user)?.some((gap) => gap.atMs >= atMs && gap.atMs - gap.lastedMs <= atMs + withinMs),
  );
}
