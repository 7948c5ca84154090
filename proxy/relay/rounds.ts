/** Everybody in turn, a few at a time: looking after all sessions at once would keep those waiting who have something to say. */

/** Turns of a round in which there are few: each wakes a process that may have nothing else to do. The clock is looked at this often, too. */
export const TURNS_MIN = 4;
/** Turns of a round, at most. */
export const TURNS_MAX = 16;
/** So many in a turn take no time worth telling; with more of them there are more turns. */
export const FEW = 64;

export class Rounds<T> {
  readonly #members: ReadonlyMap<unknown, T>;
  #rest: Iterator<T>;
  #turns = TURNS_MIN;
  #perTurn = 0;
  /** Of the round. */
  #turn = 0;

  /** @param members who come and go as they like */
  constructor(members: ReadonlyMap<unknown, T>) {
    this.#members = members;
    this.#rest = members.values();
  }

  /** Of the round that goes on, or of the last one. */
  get turns(): number {
    return this.#turns;
  }

  /** Those whose turn it is: once in `turns` calls for whoever is there when a round begins. */
  next(): T[] {
    if (this.#turn === 0) this.#begin();
    this.#turn = (this.#turn + 1) % this.#turns;
    const count = Math.max(this.#perTurn, this.#share());
    const turn: T[] = [];
    for (let next = this.#rest.next(); next.done !== true; next = this.#rest.next()) {
      turn.push(next.value);
      if (turn.length === count) break;
    }
    return turn;
  }

  #begin(): void {
    this.#rest = this.#members.values();
    this.#turns = Math.min(TURNS_MAX, Math.max(TURNS_MIN, Math.ceil(this.#members.size / FEW)));
    this.#perTurn = this.#share();
  }

  #share(): number {
    return Math.ceil(this.#members.size / this.#turns);
  }
}
