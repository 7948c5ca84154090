/**
 * Who of those that wait may go now: at most so many moves a second, a window per pod that follows its time to CONNECTED and one for the event
 * loop that follows its turns, most urgent first.
 *
 * Where all pods are in doubt nobody waits for one of them, so that thousands need not choose anew each time that one is tried.
 */
import type { Pod } from '../discovery/index.ts';
import type { Grant, SessionId } from './decisions.ts';
import type { Fleet } from './fleet.ts';
import { LoopWindow } from './loop-window.ts';
import type { Membership } from './membership.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import type { PodHealth } from './pod-health.ts';
import { ANY_POD, type Queues } from './queues.ts';
import { TokenBucket } from './token-bucket.ts';

/** Moves that may start at once after a rest, so that a small fleet moves in one breath. */
const BURST = 64;

type Go = (session: SessionId, pod: Pod) => void;

export class Governor {
  readonly #bucket: TokenBucket;
  readonly #links: Queues<SessionId>;
  readonly #moves: Queues<SessionId>;
  readonly #places: Places<SessionId>;
  readonly #fleet: Fleet;
  readonly #membership: Membership;
  readonly #loop = new LoopWindow<Place>();

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

  /**
   * What may go now, and is on its way from now on.
   * @param turnMs how long the turns of the event loop were since the last call, on average
   */
  grants(turnMs: number, now: number): Grant[] {
    this.#loop.turn(turnMs, this.#links.size + this.#moves.size, now);
    const grants: Grant[] = [];
    const go = (session: SessionId, pod: Pod) => this.#grant(session, pod, now, grants);
    this.#letGo(this.#links, (health) => health.hasRoom() && this.#loop.hasRoom(), go);
    this.#tryAll(now, go);
    if (this.#bucket.readyAt(now) > now) return grants;
    const links = grants.length;
    // Where links are all that the event loop takes, one move goes with them: a rollout is not held up by sessions that are refused all the time.
    const hasRoom = () => (links > 0 && grants.length === links) || this.#loop.hasRoom();
    const mayMove = (health: PodHealth) =>
      health.hasRoom() && !health.isSuspect(now) && hasRoom() && this.#bucket.take(now);
    this.#letGo(this.#moves, mayMove, go);
    return grants;
  }

  /** When to ask again, if nothing happens before. Whoever makes room at a pod asks again anyway. */
  nextDeadline(now: number): number {
    const ofAny = this.#links.countOf(ANY_POD);
    const at = Math.min(ofAny > 0 ? this.#anyAt() : Number.POSITIVE_INFINITY, this.#movesAt(now));
    const roomAtMs = this.#loop.roomAtMs();
    if (roomAtMs === undefined) return at;
    return this.#links.size > ofAny ? roomAtMs : Math.max(at, roomAtMs);
  }

  /** @returns that its pod was in doubt before */
  connected(place: Place, tookMs: number): boolean {
    if (place.sentTo === undefined) return false;
    const health = this.#fleet.healthOf(place.sentTo);
    const wasDoubtful = health.isDoubtful;
    health.connected(tookMs, this.#links.countOf(place.sentTo));
    place.holdsSlot = false;
    this.#loop.outOfHand(place);
    return wasDoubtful;
  }

  /** A session is on its way nowhere any more, for reasons that say nothing of the pod. */
  takeBack(place: Place): void {
    if (place.sentTo !== undefined && place.holdsSlot) this.#fleet.healthOf(place.sentTo).ended();
    this.#loop.ended(place);
    place.sentTo = undefined;
    place.holdsSlot = false;
  }

  /** One for each pod, then the next one for each, as long as there are some that may go. */
  #letGo(queues: Queues<SessionId>, mayGo: (health: PodHealth) => boolean, go: Go): void {
    const goesOne = (podId: string) => {
      const pod = this.#fleet.pod(podId);
      if (pod === undefined) queues.takeAll(podId);
      const first = queues.first(podId);
      if (pod === undefined || first === undefined || !mayGo(this.#fleet.healthOf(podId))) return false;
      go(first, pod);
      return true;
    };
    let podIds = [...queues.podIds()].filter((podId) => podId !== ANY_POD);
    while (podIds.length > 0) podIds = podIds.filter(goesOne);
  }

  /** Each pod whose suspicion is over is tried with the most urgent session of all; one in doubt has room for one. */
  #tryAll(now: number, go: Go): void {
    for (const pod of this.#membership.members) {
      const health = this.#fleet.healthOf(pod.id);
      while (health.hasRoom() && !health.isSuspect(now)) {
        const first = this.#links.first(ANY_POD);
        if (first === undefined || !this.#loop.hasRoom()) return;
        go(first, pod);
      }
    }
  }

  #grant(session: SessionId, pod: Pod, now: number, grants: Grant[]): void {
    this.#links.remove(session);
    this.#moves.remove(session);
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.takeBack(place);
    this.#fleet.healthOf(pod.id).began();
    place.sentTo = pod.id;
    place.holdsSlot = true;
    this.#loop.began(place, now);
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
