/** A small seeded generator (mulberry32): the same seed is the same world. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) >>> 0;
  }

  /** Dice of their own for one purpose, so that leaving something out elsewhere does not change what they show. */
  static for(seed: number, purpose: string): Dice {
    let mixed = seed >>> 0;
    for (const character of purpose) mixed = (Math.imul(mixed, 31) + character.charCodeAt(0)) >>> 0;
    return new Dice(mixed);
  }

  /** Uniform in [0, 1). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.next() * items.length)];
  }
}
