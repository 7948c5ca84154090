/** The addresses of pods: a network of which every address is local (in-network.ts gives it to the loopback interface). */
export const POD_NETWORK = '10.244.0.0/16';
/** Of the node itself. */
export const NODE_ADDRESS = '10.244.0.1';

/** Each pod gets an address that no other had; x.y.0.0/24 is the node's own. */
const FIRST = 1 << 8;
const LAST = (1 << 16) - 2;

export class PodAddresses {
  #next = FIRST;

  /** Throws RangeError when all of them were given away. */
  next(): string {
    if (this.#next > LAST) throw new RangeError(`all addresses of ${POD_NETWORK} were given to pods`);
    const number = this.#next++;
    return `10.244.${number >> 8}.${number & 255}`;
  }
}
