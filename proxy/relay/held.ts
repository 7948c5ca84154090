/** What one session holds, as it was last told to those who add up what all of them hold. */
import type { RelayHost } from './host.ts';

export interface HeldAmount {
  readonly bytes: number;
  readonly frames: number;
}

export class Held {
  readonly #host: RelayHost;
  #bytes = 0;
  #frames = 0;

  constructor(host: RelayHost) {
    this.#host = host;
  }

  get isSomething(): boolean {
    return this.#bytes > 0;
  }

  /** @returns whether it was another amount before */
  become({ bytes, frames }: HeldAmount): boolean {
    const moreBytes = bytes - this.#bytes;
    const moreFrames = frames - this.#frames;
    if (moreBytes === 0 && moreFrames === 0) return false;
    this.#bytes = bytes;
    this.#frames = frames;
    this.#host.held(moreBytes, moreFrames);
    return true;
  }
}
