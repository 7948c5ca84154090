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
import { ANY_POD, isMove, type Queues } from './queues.ts';
import { TokenBucket } from './token-bucket.ts';

/** Moves that may start at once after a rest, so that a small fleet moves in one breath. */
const BURST = 64;

export class Governor {
  readonly #bucket: TokenBucket;
  readonly #queues: Queues<SessionId>;
  readonly #places: Places<SessionId>;
  readonly #fleet: Fleet;
  readonly #membership: Membership;

  constructor(
    perSecond: number,
    queues: Queues<SessionId>,
    places: Places<SessionId>,
    fleet: Fleet,
    membership: Membership,
  ) {
    this.#bucket = new TokenBucket(perSecond, Math.min(BURST, perSecond));
    this.#queues = queues;
    this.#places = places;
    this.#fleet = fleet;
    this.#membership = membership;
  }

  /** What may go now, and is on its way from now on. */
  grants(now: number): Grant[] {
    const grants: Grant[] = [];
    for (const podId of this.#queues.podIds()) {
      if (podId === ANY_POD) this.#tryAll(now, grants);
      else this.#grantFor(podId, now, grants);
    }
    return grants;
  }

  /** When to ask again, if nothing happens before. */
  nextDeadline(now: number): number {
    let at = Number.POSITIVE_INFINITY;
    for (const podId of this.#queues.podIds())
      at = Math.min(at, podId === ANY_POD ? this.#anyAt() : this.#movesAt(podId, now));
    return at;
  }

  /** A session is on its way nowhere any more, for reasons that say nothing of the pod. */
  takeBack(place: Place): void {
    if (place.sentTo !== undefined && place.holdsSlot) this.#fleet.healthOf(place.sentTo).ended();
    place.sentTo = undefined;
    place.holdsSlot = false;
  }

  #grantFor(podId: string, now: number, grants: Grant[]): void {
    const health = this.#fleet.healthOf(podId);
    const pod = this.#fleet.pod(podId);
    for (let first = this.#queues.first(podId); first !== undefined; first = this.#queues.first(podId)) {
      if (pod === undefined) {
        this.#queues.remove(first.session);
        continue;
      }
      if (!health.hasRoom() || (isMove(first.urgency) && (health.isSuspect(now) || !this.#bucket.take(now)))) return;
      this.#grant(first.session, pod, grants);
    }
  }

  /** Each pod whose suspicion is over is tried with the most urgent session of all; one in doubt has room for one. */
  #tryAll(now: number, grants: Grant[]): void {
    for (const pod of this.#membership.members) {
      const health = this.#fleet.healthOf(pod.id);
      while (health.hasRoom() && !health.isSuspect(now)) {
        const first = this.#queues.first(ANY_POD);
        if (first === undefined) return;
        this.#grant(first.session, pod, grants);
      }
    }
  }

  #grant(session: SessionId, pod: Pod, grants: Grant[]): void {
    this.#queues.remove(session);
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.takeBack(place);
    this.#fleet.healthOf(pod.id).began();
    place.sentTo = pod.id;
    place.holdsSlot = true;
    grants.push({ session, cause: place.wants ?? 'handover', pod });
  }

  /** Those of its queue that have no link wait for room only, and whoever makes some asks again. */
  #movesAt(podId: string, now: number): number {
    const health = this.#fleet.healthOf(podId);
    return health.hasRoom() ? Math.max(this.#bucket.readyAt(now), health.suspectUntilMs) : Number.POSITIVE_INFINITY;
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
