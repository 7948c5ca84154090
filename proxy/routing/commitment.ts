/**
 * The ring that producers follow.
 *
 * It is the target ring as of the last moment at which every session of this proxy was at its owner. Until all have moved,
 * messages go to the old owner, which is still linked; a session that has moved reads its old link that long. Sessions that
 * cannot move (their owner refuses them) hold the others up for `commitMaxMs` at most.
 *
 * Where several processes make up one proxy, the sessions of all of them must be at their owners: each says when it is `ready`
 * for its target, and follows it when it is permitted to. Whoever permits waits for no process for ever (workers/commit-gate.ts).
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
  readonly #isTogether: boolean;
  /** The version that all may follow; one at a time. */
  #permitted: string | undefined;
  #ready: string | undefined;
  /** The target that is not committed yet, and since when it is the target. */
  #pending: { readonly ring: Ring; readonly sinceMs: number } | undefined;

  /** @param isTogether a new target is followed by permission only; else whenever this process is ready */
  constructor(options: RingOptions, commitMaxMs: number, isTogether = false) {
    this.#ring = Ring.of([], options);
    this.#commitMaxMs = commitMaxMs;
    this.#isTogether = isTogether;
  }

  /** The version of the target, once nothing here holds its commit up (any more); undefined until then. As of the last `commit`. */
  get ready(): string | undefined {
    return this.#ready;
  }

  /** All processes follow the ring of this version from now on, whatever has become astray since they were ready. */
  permit(version: string): void {
    this.#permitted = version;
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

  /** When nobody is waited for any longer; Infinity when nothing is pending, or it only waits for permission. */
  nextDeadline(): number {
    return this.#pending === undefined || this.#ready !== undefined ? Number.POSITIVE_INFINITY : this.#overdueAtMs;
  }

  get #overdueAtMs(): number {
    return this.#pending === undefined ? Number.POSITIVE_INFINITY : this.#pending.sinceMs + this.#commitMaxMs;
  }

  /**
   * Follows the target if every session has; returns the sessions that had moved, whose producers follow them now. A ring
   * without pods is never followed: when all pods are unready at once, sessions stay linked where they are.
   * @param isKnown every session has been looked at since the target is the target: those that are astray are known
   */
  commit(target: Ring, member: (key: string) => Pod | undefined, isKnown: boolean, now: number): Session[] {
    this.#ready = undefined;
    if (target.keys.length === 0) return [];
    if (this.#ring === target) this.#pending = undefined;
    else if (this.#pending?.ring !== target) this.#pending = { ring: target, sinceMs: now };
    if ((isKnown && this.#astray.size === 0) || now >= this.#overdueAtMs) this.#ready = target.version;
    if (!this.#mayFollow(target)) return [];
    this.#follow(target, member);
    const moved = [...this.#movedSince];
    this.#movedSince.clear();
    return moved;
  }

  /** What is followed already needs no permission: producers do, and sessions that have come back to it may leave their old links. */
  #mayFollow(target: Ring): boolean {
    const needsPermission = this.#isTogether && this.#ring.version !== target.version;
    return needsPermission ? this.#permitted === target.version : this.#ready !== undefined;
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
