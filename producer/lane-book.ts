/**
 * What is remembered for a lane (one user and destination) between its messages: the next sequence number, and how long
 * the user has been away.
 *
 * A sequence is `<stream>:<n>`; n counts from 1 without holes, so that a session can tell loss, repetition and reordering
 * apart (DESIGN §9). The book is bounded and forgets the lane that was used longest ago. A lane that comes back after that
 * cannot go on counting, and counting from 1 again in the same stream would look like reordering; so each entry has a
 * stream of its own, which is never used again.
 */
import { Absence } from './absence.ts';

export class Lane {
  readonly absence: Absence;
  readonly #stream: string;
  #next = 1;

  constructor(stream: string, absence: Absence) {
    this.#stream = stream;
    this.absence = absence;
  }

  /** The number of the message at the head of the lane: the same until `advance`. */
  get seq(): string {
    return `${this.#stream}:${this.#next}`;
  }

  /** The message with that number was delivered, or may have been: nobody else may have the number. */
  advance(): void {
    this.#next += 1;
  }
}

export interface LaneBookOptions {
  readonly maxLanes: number;
  /** The start of all stream names: random, without ':'. */
  readonly streamPrefix: string;
  readonly absenceProvenAfterMs: number;
}

export class LaneBook {
  readonly #options: LaneBookOptions;
  /** In the order of last use: a Map keeps the order in which its keys were put in. */
  readonly #lanes = new Map<string, Lane>();
  #streams = 0;

  constructor(options: LaneBookOptions) {
    if (options.streamPrefix.includes(':')) throw new RangeError("streamPrefix must not contain ':'");
    this.#options = options;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** The lane of this key, the most recently used one from now on. */
  use(key: string): Lane {
    const known = this.#lanes.get(key);
    if (known !== undefined) this.#lanes.delete(key);
    const lane = known ?? this.#open();
    this.#lanes.set(key, lane);
    this.#forgetOldest();
    return lane;
  }

  #open(): Lane {
    this.#streams += 1;
    const stream = `${this.#options.streamPrefix}-${this.#streams.toString(36)}`;
    return new Lane(stream, new Absence(this.#options.absenceProvenAfterMs));
  }

  #forgetOldest(): void {
    if (this.#lanes.size <= this.#options.maxLanes) return;
    for (const oldest of this.#lanes.keys()) {
      this.#lanes.delete(oldest);
      return;
    }
  }
}
