/** Which pod a user belongs to, and which one to try: the ring's agreed order, seen with the health of the pods. */
import type { Pod } from '../discovery/index.ts';
import type { Fleet } from './fleet.ts';
import type { Membership } from './membership.ts';

export class Candidates {
  readonly #membership: Membership;
  readonly #fleet: Fleet;

  constructor(membership: Membership, fleet: Fleet) {
    this.#membership = membership;
    this.#fleet = fleet;
  }

  ownerOf(key: string): Pod | undefined {
    const owner = this.#membership.ring.owner(key);
    return owner === undefined ? undefined : this.#membership.member(owner);
  }

  /**
   * Without a link: the first in the agreed order that is not in doubt; undefined when all are. Whether one in doubt is back is tried by a
   * move, which costs nobody its link: a process that hangs takes connect-max to show it.
   * @param refusedBy pods, by id, that are taken only where all that are not in doubt are among them
   */
  forLink(key: string, refusedBy: readonly string[]): Pod | undefined {
    const owner = this.ownerOf(key);
    if (owner !== undefined && this.#isWell(owner) && !refusedBy.includes(owner.id)) return owner;
    if (!this.#isAnyWell) return undefined;
    let refuser: Pod | undefined;
    for (const pod of this.#inOrder(key)) {
      if (!this.#isWell(pod)) continue;
      if (!refusedBy.includes(pod.id)) return pod;
      refuser ??= pod;
    }
    return refuser;
  }

  get #isAnyWell(): boolean {
    for (const pod of this.#membership.members) if (this.#isWell(pod)) return true;
    return false;
  }

  /** For somebody who has no session: the first in the agreed order that is not in doubt, or not suspect, else the owner. */
  forRequest(key: string, now: number): Pod | undefined {
    let owner: Pod | undefined;
    let unsuspected: Pod | undefined;
    for (const pod of this.#inOrder(key)) {
      if (this.#isWell(pod)) return pod;
      owner ??= pod;
      if (!this.#fleet.healthOf(pod.id).isSuspect(now)) unsuspected ??= pod;
    }
    return unsuspected ?? owner;
  }

  #isWell(pod: Pod): boolean {
    return !this.#fleet.healthOf(pod.id).isDoubtful;
  }

  /** One by one, as the first is taken most often, and to order all of 500 pods takes a third of a millisecond. */
  *#inOrder(key: string): Generator<Pod> {
    const { ring } = this.#membership;
    const owner = this.ownerOf(key);
    if (owner !== undefined) yield owner;
    for (const name of ring.owners(key, ring.keys.length).slice(1)) {
      const pod = this.#membership.member(name);
      if (pod !== undefined) yield pod;
    }
  }
}
