/** Everybody in turn, a few at a time: looking after all sessions at once would keep those waiting who have something to say. */

/** In how many turns everybody has one. */
export const TURNS = 16;

export class Rounds<T> {
  readonly #members: ReadonlyMap<unknown, T>;
  #rest: Iterator<T>;
  #perTurn = 0;
  /** Of the round. */
  #turn = 0;

  /** @param members who come and go as they like */
  constructor(members: ReadonlyMap<unknown, T>) {
    this.#members = members;
    this.#rest = members.values();
  }

  /** Those whose turn it is: once in TURNS calls for whoever is there when a round begins. */
  next(): T[] {
    if (this.#turn === 0) this.#begin();
    this.#turn = (this.#turn + 1) % TURNS;
    const count = Math.max(this.#perTurn, perTurn(this.#members.size));
    const turn: T[] = [];
    for (let next = this.#rest.next(); next.done !== true; next = this.#rest.next()) {
      turn.push(next.value);
      if (turn.length === count) break;
    }
    return turn;
  }

  #begin(): void {
    this.#rest = this.#members.values();
    this.#perTurn = perTurn(this.#members.size);
  }
}

function perTurn(size: number): number {
  return Math.ceil(size / TURNS);
}
