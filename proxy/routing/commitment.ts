/**
 * The ring that producers follow.
 *
 * It is the target ring as of the last moment at which every session of this proxy was at its owner. Until all have moved,
 * messages go to the old owner, which is still linked; a session that has moved reads its old link that long. Sessions that
 * cannot move (their owner refuses them) hold the others up for `commitMaxMs` at most.
 */
import { Ring, type RingOptions } from '../../ring/index.ts';
import type { Pod } from '../discovery/index.ts';

export class Commitment<Session> {
  #ring: Ring;
  /** The pods of the ring, some of which may be gone from the topology. */
  #pods = new Map<string, Pod>();
  /** Sessions whose pod is not their owner. */
  readonly #astray = new Set<Session>();
  readonly #movedSince = new Set<Session>();
  readonly #commitMaxMs: number;
  /** The target that is not committed yet, and since when it is the target. */
  #pending: { readonly ring: Ring; readonly sinceMs: number } | undefined;

  constructor(options: RingOptions, commitMaxMs: number) {
    this.#ring = Ring.of([], options);
    this.#commitMaxMs = commitMaxMs;
  }

  get ring(): Ring {
    return this.#ring;
  }

  get astray(): number {
    return this.#astray.size;
  }

  podOf(key: string): Pod | undefined {
    return this.#pods.get(key);
  }

  /** The session is not at its owner, or it is (again). */
  setAstray(session: Session, isAstray: boolean): void {
    if (isAstray) this.#astray.add(session);
    else this.#astray.delete(session);
  }

  moved(session: Session): void {
    this.#movedSince.add(session);
  }

  forget(session: Session): void {
    this.#astray.delete(session);
    this.#movedSince.delete(session);
  }

  /** When the target is followed whoever has not moved; Infinity when nothing is pending. */
  nextDeadline(): number {
    return this.#pending === undefined ? Number.POSITIVE_INFINITY : this.#pending.sinceMs + this.#commitMaxMs;
  }

  /**
   * Follows the target if every session has; returns the sessions that had moved, whose producers follow them now. A ring
   * without pods is never followed: when all pods are unready at once, sessions stay linked where they are.
   */
  commit(target: Ring, member: (key: string) => Pod | undefined, now: number): Session[] {
    if (target.keys.length === 0) return [];
    if (this.#ring === target) this.#pending = undefined;
    else if (this.#pending?.ring !== target) this.#pending = { ring: target, sinceMs: now };
    if (this.#astray.size > 0 && now < this.nextDeadline()) return [];
    this.#follow(target, member);
    const moved = [...this.#movedSince];
    this.#movedSince.clear();
    return moved;
  }

  #follow(target: Ring, member: (key: string) => Pod | undefined): void {
    this.#pending = undefined;
    if (this.#ring === target) return;
    this.#ring = target;
    this.#pods = new Map(target.keys.flatMap((key) => withPod(key, member(key))));
  }
}

function withPod(key: string, pod: Pod | undefined): [string, Pod][] {
  return pod === undefined ? [] : [[key, pod]];
}
