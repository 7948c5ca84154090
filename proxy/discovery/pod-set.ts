import { DiscoveryError } from './discovery-error.ts';
import type { Pod } from './topology.ts';

/** Collects pods that a person listed and refuses the second of a name or an address, naming both places. */
export class PodSet {
  readonly #byName = new Map<string, { pod: Pod; where: string }>();
  readonly #byAddress = new Map<string, string>();

  /** @param where the place in the flag or the file, for errors */
  add(pod: Pod, where: string): void {
    const named = this.#byName.get(pod.name);
    if (named !== undefined) {
      throw new DiscoveryError(
        `${where}: the name "${pod.name}" was already given in ${named.where}; names must differ`,
      );
    }
    const addressed = this.#byAddress.get(pod.address);
    if (addressed !== undefined) {
      throw new DiscoveryError(
        `${where}: the address ${pod.address} was already given in ${addressed}; each pod needs its own`,
      );
    }
    this.#byName.set(pod.name, { pod, where });
    this.#byAddress.set(pod.address, where);
  }

  get pods(): Pod[] {
    return [...this.#byName.values()].map(({ pod }) => pod);
  }
}
