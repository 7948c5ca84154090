/**
 * Pods that could not be reached a moment ago. They are still asked, but last: a pod that hangs costs its time-out each
 * time, and a message must not pay it again before it has asked the pods that answer.
 */

/** Long enough to spare the messages that follow, short enough that a pod that is back leads again at once. */
export const SUSPECT_MS = 1_000;

export class Suspects {
  readonly #until = new Map<string, number>();

  failed(key: string, now: number): void {
    for (const [other, until] of this.#until) if (until <= now) this.#until.delete(other);
    this.#until.set(key, now + SUSPECT_MS);
  }

  answered(key: string): void {
    this.#until.delete(key);
  }

  any(keys: readonly string[], now: number): boolean {
    return keys.some((key) => this.#has(key, now));
  }

  /** The same keys in the same order, but suspects after all others. */
  last(keys: readonly string[], now: number): string[] {
    const suspect = (key: string) => this.#has(key, now);
    return [...keys.filter((key) => !suspect(key)), ...keys.filter(suspect)];
  }

  #has(key: string, now: number): boolean {
    return (this.#until.get(key) ?? 0) > now;
  }
}
