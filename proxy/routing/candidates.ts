/** Which pod a user belongs to, and which one to try: the ring's agreed order, seen with the health of the pods. */
import type { Pod } from '../discovery/index.ts';
import type { Fleet } from './fleet.ts';
import type { Membership } from './membership.ts';

/** A pod, and the moment from which it may be tried. */
export interface Candidate {
  readonly podId: string;
  readonly notBeforeMs: number;
}

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

  /** A planned move goes to the owner or nowhere: while that one is suspect the session stays. */
  forMove(key: string): Candidate | undefined {
    const owner = this.ownerOf(key);
    if (owner === undefined) return undefined;
    return { podId: owner.id, notBeforeMs: this.#fleet.healthOf(owner.id).suspectUntilMs };
  }

  /**
   * Without a link: the first in the agreed order that is not in doubt, or the one whose suspicion ends first. Whether a pod in
   * doubt is back is tried by a move, which costs nobody its link: a process that hangs takes connect-max to show it.
   */
  forLink(key: string, now: number): Candidate | undefined {
    let soonest: Candidate | undefined;
    for (const pod of this.#inOrder(key)) {
      const health = this.#fleet.healthOf(pod.id);
      const candidate = { podId: pod.id, notBeforeMs: Math.max(now, health.suspectUntilMs) };
      if (!health.isDoubtful) return candidate;
      if (soonest === undefined || candidate.notBeforeMs < soonest.notBeforeMs) soonest = candidate;
    }
    return soonest;
  }

  /** For somebody who has no session: the first in the agreed order that is not in doubt, or not suspect, else the owner. */
  forRequest(key: string, now: number): Pod | undefined {
    let owner: Pod | undefined;
    let unsuspected: Pod | undefined;
    for (const pod of this.#inOrder(key)) {
      const health = this.#fleet.healthOf(pod.id);
      if (!health.isDoubtful) return pod;
      owner ??= pod;
      if (!health.isSuspect(now)) unsuspected ??= pod;
    }
    return unsuspected ?? owner;
  }

  /** One by one, as the first is taken most often: to order all of 500 pods takes 500 times as long. */
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
