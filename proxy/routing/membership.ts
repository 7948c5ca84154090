/**
 * Which pods are in the ring.
 *
 * `serving` pods are; `draining` ones leave at once, since their notice is all the time there is to move users away;
 * `unready` ones leave too, but links to them stay while they work. With no serving pod the draining ones are used, and
 * with none at all there is no ring and sessions are held.
 *
 * A pod that becomes serving joins after `admitAfterMs`, and every further one starts that wait anew (up to
 * ADMIT_BATCH_FACTOR times), so that a surge changes the ring once. When a member leaves, those that wait join with it: its users
 * would else move to others that may be next, and many of them once more when the newcomers join. docs/decisions/0011 has the figures.
 */
import { Ring, type RingOptions } from '../../ring/index.ts';
import type { Pod, Topology } from '../discovery/index.ts';

/** The longest that newcomers may put each other off, in units of `admitAfterMs`. */
export const ADMIT_BATCH_FACTOR = 4;

export interface MembershipOptions {
  readonly ring: RingOptions;
  readonly admitAfterMs: number;
}

export class Membership {
  readonly #options: MembershipOptions;
  #pods: readonly Pod[] = [];
  #answered = false;
  /** Ids of serving pods that are in, and of those that wait, with the time they were first seen serving. */
  readonly #admitted = new Set<string>();
  readonly #waiting = new Map<string, number>();
  #members = new Map<string, Pod>();
  #ring: Ring;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#ring = Ring.of([], options.ring);
  }

  get ring(): Ring {
    return this.#ring;
  }

  get pods(): readonly Pod[] {
    return this.#pods;
  }

  /** The member with this ring key. */
  /** The pods of the ring. */
  get members(): Iterable<Pod> {
    return this.#members.values();
  }

  member(key: string): Pod | undefined {
    return this.#members.get(key);
  }

  keyOf(pod: Pod): string {
    return this.#options.ring.keyKind === 'address' ? pod.address : pod.name;
  }

  /** A new snapshot; true when the ring or one of its pods has changed. */
  update(topology: Topology, now: number): boolean {
    this.#pods = topology.pods;
    const serving = new Set(topology.pods.filter((pod) => pod.state === 'serving').map((pod) => pod.id));
    const left = [...this.#admitted].filter((id) => !serving.has(id));
    for (const id of left) this.#admitted.delete(id);
    for (const id of this.#waiting.keys()) if (!serving.has(id)) this.#waiting.delete(id);
    for (const id of serving) if (!this.#admitted.has(id) && !this.#waiting.has(id)) this.#waiting.set(id, now);
    if (!this.#answered || left.length > 0) this.#admitAll();
    this.#answered = true;
    this.#admitDue(now);
    return this.#rebuild();
  }

  /** Lets in whoever has waited long enough; true when the ring has changed. */
  tick(now: number): boolean {
    return this.#admitDue(now) && this.#rebuild();
  }

  /** When the waiting pods join; Infinity when none waits. */
  nextDeadline(): number {
    if (this.#waiting.size === 0) return Number.POSITIVE_INFINITY;
    const since = [...this.#waiting.values()];
    const { admitAfterMs } = this.#options;
    return Math.min(Math.max(...since) + admitAfterMs, Math.min(...since) + ADMIT_BATCH_FACTOR * admitAfterMs);
  }

  /** @returns whether anybody was let in */
  #admitDue(now: number): boolean {
    if (this.#waiting.size === 0 || (this.#admitted.size > 0 && now < this.nextDeadline())) return false;
    this.#admitAll();
    return true;
  }

  #admitAll(): void {
    for (const id of this.#waiting.keys()) this.#admitted.add(id);
    this.#waiting.clear();
  }

  #rebuild(): boolean {
    const members = this.#chooseMembers();
    if (sameMembers(members, this.#members)) return false;
    const keysChanged = !sameKeys(members, this.#members);
    this.#members = members;
    if (keysChanged) this.#ring = Ring.of(members.keys(), this.#options.ring, this.#ring);
    return true;
  }

  #chooseMembers(): Map<string, Pod> {
    const admitted = this.#pods.filter((pod) => this.#admitted.has(pod.id));
    const chosen = admitted.length > 0 ? admitted : this.#pods.filter((pod) => pod.state === 'draining');
    return new Map(chosen.map((pod) => [this.keyOf(pod), pod]));
  }
}

function sameKeys(a: ReadonlyMap<string, Pod>, b: ReadonlyMap<string, Pod>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

/** The same key may name another process: a StatefulSet's pod keeps its name and gets a new UID and address. */
function sameMembers(a: ReadonlyMap<string, Pod>, b: ReadonlyMap<string, Pod>): boolean {
  return (
    sameKeys(a, b) && [...a].every(([key, pod]) => b.get(key)?.id === pod.id && b.get(key)?.address === pod.address)
  );
}
