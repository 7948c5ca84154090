/**
 * Connections of which thousands may have something to say at once, and whose turn may come a little later: clients that come back after a restart,
 * links of a pod that dies. What the system has of them comes to us as one batch, and until all of it is dealt with nobody else is heard.
 *
 * So when dealing with some has taken long enough, the others are not read any more, which takes them out of that batch, and in each of
 * the next turns of the event loop a few are read again.
 */
import { Part } from './part.ts';

/** Somebody who is read, or not. */
export interface Passer {
  /** @param held not to be read from now on; or read again, which is said before the event loop looks what there is to be read */
  hold(held: boolean): void;
}

/** Holding takes a microsecond or two each. Whoever comes while there are so many is never held, so that holding does not become what it prevents. */
export const PASSERS_MAX = 8_192;

export class Turnstile {
  readonly #perTurn: number;
  readonly #part: Part;
  /** Those who are read. */
  readonly #through = new Set<Passer>();
  /** Those who are not, in order. */
  readonly #waiting = new Set<Passer>();

  /**
   * @param perTurn how many are read again in each turn, while others have to wait
   * @param now a clock in milliseconds
   */
  constructor(perTurn: number, now: () => number = () => performance.now()) {
    this.#perTurn = perTurn;
    this.#part = new Part(() => this.#goOn(), now);
  }

  /** One more, who is read unless others have to wait already. */
  join(passer: Passer): void {
    if (this.#through.size + this.#waiting.size >= PASSERS_MAX) return;
    if (this.#waiting.size === 0) this.#through.add(passer);
    else this.#hold(passer);
  }

  /** One less, who is read as far as it is up to us. */
  leave(passer: Passer): void {
    if (!this.#through.delete(passer) && this.#waiting.delete(passer)) passer.hold(false);
  }

  /** One of them, or one who has left, was dealt with, which took its time. */
  dealt(): void {
    if (this.#through.size === 0 || !this.#part.isOver()) return;
    for (const passer of this.#through) this.#hold(passer);
    this.#through.clear();
  }

  #hold(passer: Passer): void {
    this.#waiting.add(passer);
    passer.hold(true);
  }

  #goOn(): void {
    let left = this.#perTurn;
    for (const passer of this.#waiting) {
      if (left-- === 0) break;
      this.#waiting.delete(passer);
      this.#through.add(passer);
      passer.hold(false);
    }
    if (this.#waiting.size > 0) this.#part.begin();
  }
}
