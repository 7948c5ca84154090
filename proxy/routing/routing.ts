/**
 * Where every session belongs, and when it may go there.
 *
 * Routing knows the ring, the health of the pods and the place of each session. It answers a session's wish for a link and,
 * unasked, moves sessions whose pod is no longer their owner (the governor): at most `perSecond` moves, a window per pod
 * that follows its time to CONNECTED, most urgent first. It is pure: time and random numbers come in as arguments, and what it
 * decides comes out of `tick`.
 *
 * The ring is `committed` once every session of this proxy is at its owner: producers follow the committed ring, so a user's
 * messages go to the old owner, which is still linked, until the new one is.
 */
import type { Ring } from '../../ring/index.ts';
import type { Pod, Topology } from '../discovery/index.ts';
import { Apart } from './apart.ts';
import { Backlog } from './backlog.ts';
import { Candidates } from './candidates.ts';
import { Commitment } from './commitment.ts';
import type { Decisions, SessionId } from './decisions.ts';
import { Fleet } from './fleet.ts';
import { Governor } from './governor.ts';
import { Membership } from './membership.ts';
import type { Governed, RoutingOptions } from './options.ts';
import { drained, leave, newPlace, type Place } from './place.ts';
import { Places } from './places.ts';
import { ANY_POD, Queues } from './queues.ts';
import { shuffled } from './shuffle.ts';
import { Siblings } from './siblings.ts';

/** First wait of a session whose try has failed; doubles, with full jitter, up to `retryMaxMs`. */
export const RETRY_MIN_MS = 100;

export class Routing {
  readonly #options: RoutingOptions;
  readonly #random: () => number;
  readonly #membership: Membership;
  readonly #fleet: Fleet;
  readonly #candidates: Candidates;
  readonly #governor: Governor;
  readonly #places = new Places<SessionId>();
  /** Sessions that have no link. */
  readonly #links = new Queues<SessionId>();
  /** Sessions that have one and are only to be moved. */
  readonly #moves = new Queues<SessionId>();
  /** Sessions that wait for a moment: their own next try, or the end of a pod's suspicion. */
  readonly #delayed = new Map<SessionId, number>();
  readonly #commitment: Commitment<SessionId>;
  readonly #siblings: Siblings<SessionId>;
  readonly #apart = new Apart<SessionId>();
  /** Sessions that nobody has looked at since the ring has changed. */
  readonly #unplaced = new Backlog<SessionId>();

  /** @param random uniform in [0, 1): for jitter and for the order in which sessions are moved */
  constructor(options: RoutingOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#membership = new Membership(options);
    this.#fleet = new Fleet(options.inFlightPerPod);
    this.#candidates = new Candidates(this.#membership, this.#fleet);
    this.#siblings = new Siblings(this.#places, this.#fleet);
    this.#governor = new Governor(
      options.perSecond,
      { links: this.#links, moves: this.#moves },
      this.#places,
      this.#fleet,
      this.#membership,
    );
    this.#commitment = new Commitment(options.ring, options.commitMaxMs, options.commitsTogether);
  }

  /** The ring that sessions are being moved to. */
  get target(): Ring {
    return this.#membership.ring;
  }

  /** The ring that producers should follow. */
  get committed(): Ring {
    return this.#commitment.ring;
  }

  /** The version of the target ring, if it could be committed as far as this process knows; as of the last `tick`. */
  get readyToCommit(): string | undefined {
    return this.#commitment.ready;
  }

  /** With `commitsTogether`: every process is ready to commit the ring of this version. */
  permitCommit(version: string): void {
    this.#commitment.permit(version);
  }

  get pods(): readonly Pod[] {
    return this.#membership.pods;
  }

  get governed(): Governed {
    return {
      queued: this.#links.size + this.#moves.size + this.#delayed.size,
      inFlight: this.#fleet.inFlight,
      astray: this.#commitment.astray,
    };
  }

  /** The pod with this ring key, of the target ring or of the committed one. */
  podOf(key: string): Pod | undefined {
    return this.#membership.member(key) ?? this.#commitment.podOf(key);
  }

  keyOf(pod: Pod): string {
    return this.#membership.keyOf(pod);
  }

  /** See Siblings. */
  whereIs(user: string): Pod | 'wait' | undefined {
    return this.#siblings.whereIs(user);
  }

  /** The pod for somebody who has no session here: the first in the agreed order that is not in doubt, or not suspect, or the owner. */
  ownerOf(key: string, now: number): Pod | undefined {
    return this.#candidates.forRequest(key, now);
  }

  /** A new snapshot of the pods. */
  topology(topology: Topology, now: number): void {
    this.#fleet.update(topology);
    const changed = this.#membership.update(topology, now);
    if (changed) this.#ringChanged(now);
  }

  /** A new session; it has no link yet and will ask for one. */
  open(session: SessionId, user: string, key: string): void {
    this.#places.add(session, newPlace(user, key));
  }

  /** How many sessions a user has on this proxy. */
  sessionsOf(user: string): number {
    return this.#places.countOf(user);
  }

  /** The session has no link and wants one. */
  request(session: SessionId, cause: 'open' | 'recovery', attempt: number, now: number): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    place.wants = cause;
    place.pod = undefined;
    place.follows = attempt === 0;
    place.notBeforeMs = attempt === 0 ? now : now + this.#backoff(attempt - 1);
    this.#enqueue(session, place, now);
  }

  /** A link is CONNECTED, `tookMs` after it was dialled. */
  connected(session: SessionId, tookMs: number): void {
    const place = this.#places.get(session);
    if (place?.sentTo === undefined || !place.holdsSlot) return;
    const health = this.#fleet.healthOf(place.sentTo);
    const wasDoubtful = health.isDoubtful;
    health.connected(tookMs, this.#links.countOf(place.sentTo));
    place.holdsSlot = false;
    if (wasDoubtful) this.#chooseAgain();
  }

  /** A pod is not in doubt any more: those that queue elsewhere because it was may go there. */
  #chooseAgain(): void {
    this.#unplaced.add(this.#links.all());
  }

  /** A link did not come to life. */
  failed(session: SessionId, pod: Pod, blame: 'pod' | 'session' | 'nobody', now: number): void {
    const place = this.#places.get(session);
    const isReplaced = place?.sentTo !== undefined && place.sentTo !== pod.id;
    if (place !== undefined && !isReplaced) this.#governor.takeBack(place);
    if (blame === 'pod') this.#suspect(pod.id, now);
    if (place?.pod === undefined || isReplaced) return;
    place.notBeforeMs = now + this.#backoff(place.failures++);
    this.#reconcile(session, place, now);
  }

  /** The session's primary link is at this pod now. */
  arrived(session: SessionId, pod: Pod, now: number): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    if (place.pod !== undefined) {
      this.#commitment.moved(session);
      leave(place, place.pod);
    }
    place.pod = pod;
    place.wants = undefined;
    place.failures = 0;
    if (place.sentTo === pod.id) this.#governor.takeBack(place);
    this.#reconcile(session, place, now);
    this.#lookAfter(place.user);
  }

  /** The session's primary link is lost. */
  lost(session: SessionId, pod: Pod, blame: 'pod' | 'session', now: number): void {
    const place = this.#places.get(session);
    if (place !== undefined) {
      place.pod = undefined;
      this.#commitment.setAstray(session, false);
      this.#dequeue(session);
      this.#redirectSiblings(place, now);
      this.#lookAfter(place.user);
    }
    if (blame === 'pod') this.#suspect(pod.id, now);
  }

  /** The session reads this pod, that it had left, no more. */
  drained(session: SessionId, pod: Pod): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    drained(place, pod);
    this.#lookAfter(place.user);
  }

  /** Are the sessions of this user together? */
  #lookAfter(user: string): void {
    this.#apart.look(this.#places.ofUser(user), this.committed, (pod) => this.keyOf(pod));
  }

  /** Those that were to follow a session which has lost its link too look elsewhere. */
  #redirectSiblings(place: Place, now: number): void {
    for (const [sibling, other] of this.#places.ofUser(place.user)) {
      if (this.#links.has(sibling)) this.#enqueue(sibling, other, now);
    }
  }

  /** The session has ended. */
  close(session: SessionId): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#governor.takeBack(place);
    this.#places.remove(session);
    this.#dequeue(session);
    this.#commitment.forget(session);
    this.#apart.forget(session);
    this.#lookAfter(place.user);
  }

  /** Decides what may go now. Call after any other call, and when `nextDeadline` has passed. */
  tick(now: number): Decisions {
    if (this.#membership.tick(now)) this.#ringChanged(now);
    else this.#placeSome(now);
    this.#wake(now);
    const committed = this.#commit(now);
    const grants = this.#governor.grants(now);
    return { grants, committed, wereApart: this.#apart.takeOver() };
  }

  #commit(now: number): SessionId[] {
    const before = this.committed;
    const member = (key: string) => this.#membership.member(key);
    const moved = this.#commitment.commit(this.target, member, this.#unplaced.isEmpty, now);
    const places = this.#placesOf(moved);
    for (const place of places) place.left = [];
    const users = new Set(places.map(({ user }) => user));
    for (const user of users) this.#redirectFollowers(user, now);
    // Where a user's sessions read different pods, one of them has moved or they are apart already.
    if (this.committed !== before) for (const { user } of this.#placesOf([...this.#apart.sessions])) users.add(user);
    for (const user of users) this.#lookAfter(user);
    return moved;
  }

  #placesOf(sessions: readonly SessionId[]): Place[] {
    return sessions.flatMap((session) => this.#places.get(session) ?? []);
  }

  /** A newcomer on its way to a pod that the others of its user have left turns to the one they are at: producers have moved on. */
  #redirectFollowers(user: string, now: number): void {
    for (const [session, place] of this.#places.ofUser(user)) {
      if (place.wants === undefined || !place.follows) continue;
      const choice = this.#chooseLink(session, place);
      if (choice !== undefined && choice !== ANY_POD && choice !== place.sentTo) this.#enqueue(session, place, now);
    }
  }

  nextDeadline(now: number): number {
    if (!this.#unplaced.isEmpty) return now;
    let at = Math.min(this.#membership.nextDeadline(), this.#commitment.nextDeadline());
    for (const wakeAt of this.#delayed.values()) at = Math.min(at, wakeAt);
    return Math.min(at, this.#governor.nextDeadline(now));
  }

  #ringChanged(now: number): void {
    this.#unplaced.fill(shuffled(this.#places.sessions(), this.#random));
    this.#placeSome(now);
  }

  #placeSome(now: number): void {
    for (const session of this.#unplaced.take()) {
      const place = this.#places.get(session);
      if (place === undefined) continue;
      if (place.wants !== undefined) this.#redirect(session, place, now);
      else this.#reconcile(session, place, now);
    }
  }

  /** A session that waits for a link, or is on its way to one; that it ends in the ring is good enough for now. */
  #redirect(session: SessionId, place: Place, now: number): void {
    const pod = place.sentTo === undefined ? undefined : this.#fleet.pod(place.sentTo);
    const isOnItsWay = pod !== undefined && this.#membership.member(this.keyOf(pod))?.id === pod.id;
    if (isOnItsWay) this.#dequeue(session);
    else this.#enqueue(session, place, now);
  }

  /** A linked session: is it where it belongs? */
  #reconcile(session: SessionId, place: Place, now: number): void {
    if (place.pod === undefined) return;
    const owner = this.#candidates.ownerOf(place.key);
    if (owner === undefined || owner.id === place.pod.id) {
      this.#commitment.setAstray(session, false);
      return this.#dequeue(session);
    }
    this.#commitment.setAstray(session, true);
    if (place.sentTo === owner.id) this.#dequeue(session);
    else this.#enqueue(session, place, now);
  }

  #enqueue(session: SessionId, place: Place, now: number): void {
    const podId =
      place.wants === undefined ? this.#candidates.ownerOf(place.key)?.id : this.#chooseLink(session, place);
    this.#dequeue(session);
    if (podId === undefined) return;
    if (place.notBeforeMs > now) this.#delayed.set(session, place.notBeforeMs);
    else if (place.wants !== undefined) this.#links.put(session, podId, place.wants === 'recovery');
    else this.#moves.put(session, podId, !this.#isAtServingPod(place));
  }

  /** The first try of one that follows goes where the others of its user are, suspect or not; that link works. */
  #chooseLink(session: SessionId, place: Place): string | undefined {
    const owner = this.committed.owner(place.key);
    const isOwner = (pod: Pod) => this.keyOf(pod) === owner;
    const sibling = place.follows ? this.#siblings.podOf(session, place.user, isOwner) : undefined;
    const pod = sibling ?? this.#candidates.forLink(place.key);
    return pod?.id ?? (this.target.keys.length > 0 ? ANY_POD : undefined);
  }

  #isAtServingPod({ pod }: Place): boolean {
    return pod !== undefined && this.#fleet.pod(pod.id)?.state === 'serving';
  }

  #wake(now: number): void {
    for (const [session, at] of this.#delayed) {
      const place = this.#places.get(session);
      if (at <= now && place !== undefined) this.#enqueue(session, place, now);
    }
  }

  /** Those without a link that queue for a pod which has just become suspect look elsewhere; moves wait. */
  #suspect(podId: string, now: number): void {
    const health = this.#fleet.healthOf(podId);
    const wasSuspect = health.isSuspect(now);
    health.failed(now);
    if (wasSuspect) return;
    this.#unplaced.add(this.#links.takeAll(podId));
  }

  #dequeue(session: SessionId): void {
    this.#links.remove(session);
    this.#moves.remove(session);
    this.#delayed.delete(session);
  }

  #backoff(failures: number): number {
    return this.#random() * Math.min(this.#options.retryMaxMs, RETRY_MIN_MS * 2 ** Math.min(failures, 30));
  }
}
