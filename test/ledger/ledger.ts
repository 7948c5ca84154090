/**
 * The ledger: what was sent, what its sender was told, and what arrived. From these it tells what was lost, doubled or
 * swapped, knowing nothing of how messages travel.
 *
 * A lane is one user and destination; its messages are numbered from 1 by whoever sends them, each sent after the answer
 * to the one before. Only order within a lane is promised, so only that is judged. Times are milliseconds of one clock.
 */

/** What the sender was told. `failed`: no answer, or one that is none of the other three. */
export type Outcome = 'delivered' | 'offline' | 'expired' | 'failed';

export interface Lane {
  readonly user: string;
  readonly destination: string;
}

/** One fault, for a person who looks for its cause. */
export interface Finding extends Lane {
  readonly kind: 'lost' | 'refused' | 'duplicated' | 'reordered' | 'unknown';
  readonly n: number;
  /** When it was sent (lost, refused) or arrived. */
  readonly atMs: number;
}

export interface Tally {
  readonly sent: number;
  /** Different messages that arrived. */
  readonly received: number;
  /** Arrivals per user, repeats included: what the user with the fewest and the one with the most got. */
  readonly minPerUser: number;
  readonly maxPerUser: number;
  /** Never arrived, though the sender was told `delivered` or has no answer yet. */
  readonly lost: number;
  /** Never arrived, and the sender was told so: offline, expired, failed. */
  readonly refused: number;
  /** Arrivals of a message that had arrived before. */
  readonly duplicated: number;
  /** First arrivals after the first arrival of a later message of the lane. */
  readonly reordered: number;
  /** Arrivals that nobody has sent. */
  readonly unknown: number;
  /** The longest silence at one user from the first message sent to it to the last; their own pace is part of it. */
  readonly gapMs: number;
  /** The longest time from sending to the first arrival, and whose it was. */
  readonly delayMs: number;
  readonly slowest: (Lane & { readonly n: number; readonly atMs: number }) | undefined;
  /** Users to whom a message was lost or refused. */
  readonly losers: readonly string[];
}

/** One user, whatever its destinations. */
export interface UserFigures {
  readonly user: string;
  /** As in Tally, of this user. */
  readonly gapMs: number;
  readonly delayMs: number;
}

/** Findings that are kept with their details; the counts go on. */
export const FINDINGS_MAX = 1000;

interface LaneBook extends Lane {
  readonly sentAt: Map<number, number>;
  readonly outcomes: Map<number, Outcome>;
  readonly arrived: Map<number, number>;
  highest: number;
}

interface UserBook {
  arrivals: number;
  /** When something last arrived; before that, when the first message was sent. */
  heardAtMs: number | undefined;
  lastSentAtMs: number;
  gapMs: number;
  delayMs: number;
}

export class Ledger {
  readonly #lanes = new Map<string, LaneBook>();
  readonly #users = new Map<string, UserBook>();
  readonly #live: Finding[] = [];
  #sent = 0;
  #received = 0;
  #duplicated = 0;
  #reordered = 0;
  #unknown = 0;
  #delayMs = 0;
  #slowest: Tally['slowest'];

  /** A message is about to be sent. Throws when its number was used before: the experiment itself would be wrong. */
  sent(lane: Lane, n: number, atMs: number): void {
    const book = this.#lane(lane);
    if (book.sentAt.has(n)) throw new RangeError(`${lane.user} ${lane.destination}: message ${n} is sent twice`);
    book.sentAt.set(n, atMs);
    const user = this.#user(lane.user);
    user.heardAtMs ??= atMs;
    user.lastSentAtMs = atMs;
    this.#sent++;
  }

  /** What its sender was told. */
  answered(lane: Lane, n: number, outcome: Outcome): void {
    this.#lane(lane).outcomes.set(n, outcome);
  }

  /** A message has arrived at its user. Call in the order of arrival. */
  received(lane: Lane, n: number, atMs: number): void {
    const book = this.#lane(lane);
    const user = this.#user(lane.user);
    user.arrivals++;
    if (user.heardAtMs !== undefined) user.gapMs = Math.max(user.gapMs, atMs - user.heardAtMs);
    user.heardAtMs = atMs;
    const sentAt = book.sentAt.get(n);
    if (sentAt === undefined) {
      this.#unknown++;
      return this.#find('unknown', book, n, atMs);
    }
    if (book.arrived.has(n)) {
      this.#duplicated++;
      return this.#find('duplicated', book, n, atMs);
    }
    this.#first(book, user, n, atMs, sentAt);
  }

  /** True when everything that was sent has arrived. */
  get complete(): boolean {
    return this.#received === this.#sent;
  }

  /** Different messages that have arrived so far. */
  get arrivals(): number {
    return this.#received;
  }

  tally(): Tally {
    const missing = [...this.#missing()];
    const users = [...this.#users.values()];
    const perUser = users.map(({ arrivals }) => arrivals);
    return {
      sent: this.#sent,
      received: this.#received,
      minPerUser: perUser.length === 0 ? 0 : Math.min(...perUser),
      maxPerUser: Math.max(0, ...perUser),
      lost: missing.filter(({ kind }) => kind === 'lost').length,
      refused: missing.filter(({ kind }) => kind === 'refused').length,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      unknown: this.#unknown,
      gapMs: Math.max(0, ...users.map(gapOf)),
      delayMs: this.#delayMs,
      slowest: this.#slowest,
      losers: [...new Set(missing.map(({ user }) => user))].sort(),
    };
  }

  /** Every user that was sent something, or got it. */
  users(): UserFigures[] {
    return Array.from(this.#users, ([user, book]) => ({ user, gapMs: gapOf(book), delayMs: book.delayMs }));
  }

  /** The faults one by one, the first FINDINGS_MAX of them. */
  findings(): Finding[] {
    return [...this.#live, ...this.#missing()].slice(0, FINDINGS_MAX);
  }

  /** Every lost message, however many there are: each of them must have been announced. */
  lost(): Finding[] {
    return [...this.#missing()].filter(({ kind }) => kind === 'lost');
  }

  #first(book: LaneBook, user: UserBook, n: number, atMs: number, sentAt: number): void {
    book.arrived.set(n, atMs);
    this.#received++;
    user.delayMs = Math.max(user.delayMs, atMs - sentAt);
    if (atMs - sentAt > this.#delayMs) {
      this.#delayMs = atMs - sentAt;
      this.#slowest = { user: book.user, destination: book.destination, n, atMs };
    }
    if (n < book.highest) {
      this.#reordered++;
      this.#find('reordered', book, n, atMs);
    } else book.highest = n;
  }

  *#missing(): Iterable<Finding> {
    for (const { user, destination, sentAt, outcomes, arrived } of this.#lanes.values()) {
      for (const [n, atMs] of sentAt) {
        if (arrived.has(n)) continue;
        const kind = (outcomes.get(n) ?? 'delivered') === 'delivered' ? 'lost' : 'refused';
        yield { kind, user, destination, n, atMs };
      }
    }
  }

  #find(kind: Finding['kind'], { user, destination }: Lane, n: number, atMs: number): void {
    if (this.#live.length < FINDINGS_MAX) this.#live.push({ kind, user, destination, n, atMs });
  }

  #lane({ user, destination }: Lane): LaneBook {
    const key = `${user}\n${destination}`;
    let book = this.#lanes.get(key);
    if (book === undefined) {
      book = { user, destination, sentAt: new Map(), outcomes: new Map(), arrived: new Map(), highest: 0 };
      this.#lanes.set(key, book);
    }
    return book;
  }

  #user(user: string): UserBook {
    let book = this.#users.get(user);
    if (book === undefined) {
      book = { arrivals: 0, heardAtMs: undefined, lastSentAtMs: Number.NEGATIVE_INFINITY, gapMs: 0, delayMs: 0 };
      this.#users.set(user, book);
    }
    return book;
  }
}

/** The last silence lasts until the last message was sent. */
function gapOf({ gapMs, heardAtMs = 0, lastSentAtMs }: UserBook): number {
  return Math.max(gapMs, lastSentAtMs - heardAtMs);
}
