/**
 * Who of those that wait may go now: at most so many moves a second, a window per pod that follows its time to CONNECTED, most urgent first.
 *
 * Where all pods are in doubt nobody waits for one of them, so that thousands need not choose anew each time that one is tried.
 */
import type { Pod } from '../discovery/index.ts';
import type { Grant, SessionId } from './decisions.ts';
import type { Fleet } from './fleet.ts';
import type { Membership } from './membership.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import type { PodHealth } from './pod-health.ts';
import { ANY_POD, type Queues } from './queues.ts';
import { TokenBucket } from './token-bucket.ts';

/** Moves that may start at once after a rest, so that a small fleet moves in one breath. */
const BURST = 64;

export class Governor {
  readonly #bucket: TokenBucket;
  readonly #links: Queues<SessionId>;
  readonly #moves: Queues<SessionId>;
  readonly #places: Places<SessionId>;
  readonly #fleet: Fleet;
  readonly #membership: Membership;

  /**
   * @param perSecond moves
   * @param waiting sessions that have no link, and those that are to be moved
   */
  constructor(
    perSecond: number,
    waiting: { links: Queues<SessionId>; moves: Queues<SessionId> },
    places: Places<SessionId>,
    fleet: Fleet,
    membership: Membership,
  ) {
    this.#bucket = new TokenBucket(perSecond, Math.min(BURST, perSecond));
    this.#links = waiting.links;
    this.#moves = waiting.moves;
    this.#places = places;
    this.#fleet = fleet;
    this.#membership = membership;
  }

  /** What may go now, and is on its way from now on. */
  grants(now: number): Grant[] {
    const grants: Grant[] = [];
    for (const podId of this.#links.podIds()) {
      if (podId === ANY_POD) this.#tryAll(now, grants);
      else this.#grantFor(podId, this.#links, (health) => health.hasRoom(), grants);
    }
    const mayMove = (health: PodHealth) => health.hasRoom() && !health.isSuspect(now) && this.#bucket.take(now);
    for (const podId of this.#moves.podIds()) {
      if (this.#bucket.readyAt(now) > now) break;
      this.#grantFor(podId, this.#moves, mayMove, grants);
    }
    return grants;
  }

  /** When to ask again, if nothing happens before. Whoever makes room at a pod asks again anyway. */
  nextDeadline(now: number): number {
    const anyAt = this.#links.countOf(ANY_POD) > 0 ? this.#anyAt() : Number.POSITIVE_INFINITY;
    return Math.min(anyAt, this.#movesAt(now));
  }

  /** A session is on its way nowhere any more, for reasons that say nothing of the pod. */
  takeBack(place: Place): void {
    if (place.sentTo !== undefined && place.holdsSlot) this.#fleet.healthOf(place.sentTo).ended();
    place.sentTo = undefined;
    place.holdsSlot = false;
  }

  #grantFor(podId: string, queues: Queues<SessionId>, mayGo: (health: PodHealth) => boolean, grants: Grant[]): void {
    const health = this.#fleet.healthOf(podId);
    const pod = this.#fleet.pod(podId);
    if (pod === undefined) queues.takeAll(podId);
    else
      for (let first = queues.first(podId); first !== undefined && mayGo(health); first = queues.first(podId))
        this.#grant(first, pod, grants);
  }

  /** Each pod whose suspicion is over is tried with the most urgent session of all; one in doubt has room for one. */
  #tryAll(now: number, grants: Grant[]): void {
    for (const pod of this.#membership.members) {
      const health = this.#fleet.healthOf(pod.id);
      while (health.hasRoom() && !health.isSuspect(now)) {
        const first = this.#links.first(ANY_POD);
        if (first === undefined) return;
        this.#grant(first, pod, grants);
      }
    }
  }

  #grant(session: SessionId, pod: Pod, grants: Grant[]): void {
    this.#links.remove(session);
    this.#moves.remove(session);
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.takeBack(place);
    this.#fleet.healthOf(pod.id).began();
    place.sentTo = pod.id;
    place.holdsSlot = true;
    grants.push({ session, cause: place.wants ?? 'handover', pod });
  }

  #movesAt(now: number): number {
    const readyAt = this.#bucket.readyAt(now);
    let at = Number.POSITIVE_INFINITY;
    for (const podId of this.#moves.podIds()) {
      const health = this.#fleet.healthOf(podId);
      if (health.hasRoom()) at = Math.min(at, Math.max(readyAt, health.suspectUntilMs));
      if (at === readyAt) break;
    }
    return at;
  }

  #anyAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const { id } of this.#membership.members) {
      const health = this.#fleet.healthOf(id);
      if (health.hasRoom()) at = Math.min(at, health.suspectUntilMs);
    }
    return at;
  }
}
