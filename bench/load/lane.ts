/**
 * Numbered messages to one user as they arrive: what is missing, doubled or swapped. The same judgement as the ledger of
 * the tests (test/ledger), in an addition for each message that is right, as a million of them may come in a second.
 */

export interface Faults {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Not as it was sent: another user's, other octets, a number that nobody has used. */
  readonly unknown: number;
}

export const NO_FAULTS: Faults = { lost: 0, duplicated: 0, reordered: 0, unknown: 0 };

export function sumOf(all: readonly Faults[]): Faults {
  const sum = (read: (faults: Faults) => number) => all.reduce((total, faults) => total + read(faults), 0);
  return {
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    reordered: sum(({ reordered }) => reordered),
    unknown: sum(({ unknown }) => unknown),
  };
}

export function isFaultless({ lost, duplicated, reordered, unknown }: Faults): boolean {
  return lost + duplicated + reordered + unknown === 0;
}

/** Numbers that are remembered as missing; a proxy that loses more of one user's messages has told enough. */
export const MISSING_MAX = 100_000;

export class Lane {
  #next = 1;
  #missing = new Set<number>();
  #uncounted = 0;
  #duplicated = 0;
  #reordered = 0;

  /** The next number that should come. */
  get next(): number {
    return this.#next;
  }

  /** Numbers below the highest that have not come. */
  get holes(): number {
    return this.#missing.size + this.#uncounted;
  }

  /** A message has arrived. Call in the order of arrival. */
  take(n: number): void {
    if (n === this.#next) this.#next++;
    else if (n > this.#next) this.#skipTo(n);
    else if (this.#missing.delete(n)) this.#reordered++;
    else this.#duplicated++;
  }

  /** Nothing more is to come of the `sent` messages so far. Gives the faults since the last time, and begins anew behind them. */
  settle(sent: number): Faults {
    const unknown = Math.max(0, this.#next - 1 - sent);
    const lost = this.holes + Math.max(0, sent + 1 - this.#next);
    const faults = { lost, duplicated: this.#duplicated, reordered: this.#reordered, unknown };
    this.#next = sent + 1;
    this.#missing.clear();
    this.#uncounted = 0;
    this.#duplicated = 0;
    this.#reordered = 0;
    return faults;
  }

  #skipTo(n: number): void {
    for (let hole = this.#next; hole < n; hole++) {
      if (this.#missing.size < MISSING_MAX) this.#missing.add(hole);
      else this.#uncounted++;
    }
    this.#next = n + 1;
  }
}
