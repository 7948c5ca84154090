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
import { began, ended, isBouncing, leftInVain } from './bounces.ts';
import { Candidates } from './candidates.ts';
import { Commitment } from './commitment.ts';
import type { Decisions, SessionId } from './decisions.ts';
import { Delays } from './delays.ts';
import { Fleet } from './fleet.ts';
import { Governor } from './governor.ts';
import { Membership } from './membership.ts';
import type { Governed, RoutingOptions } from './options.ts';
import { drained, leave, leaveNone, newPlace, type Place, refused, unlink } from './place.ts';
import { Places } from './places.ts';
import { ANY_POD, Queues } from './queues.ts';
import { shuffled } from './shuffle.ts';
import { Siblings } from './siblings.ts';
import { Waits } from './waits.ts';

export class Routing {
  readonly #random: () => number;
  readonly #waits: Waits;
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
  readonly #delayed = new Delays<SessionId>();
  readonly #commitment: Commitment<SessionId>;
  readonly #siblings: Siblings<SessionId>;
  readonly #apart = new Apart<SessionId>();
  /** Sessions that nobody has looked at since the ring has changed. */
  readonly #unplaced = new Backlog<SessionId>();
  /** Since the last decisions. */
  #bounced = 0;

  /** @param random uniform in [0, 1): for jitter and for the order in which sessions are moved */
  constructor(options: RoutingOptions, random: () => number) {
    this.#random = random;
    this.#waits = new Waits(options.retryMaxMs, random);
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
    return this.#siblings.whereIs(user, this.committed, (pod) => this.keyOf(pod));
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
    if (place.pod !== undefined) {
      leftInVain(place, now, this.#random());
      this.#unlinkDropped(session, place, now);
    }
    place.follows = attempt === 0 && !isBouncing(place);
    place.notBeforeMs = attempt === 0 ? now : now + this.#waits.backoffMs(attempt - 1);
    this.#enqueue(session, place, now);
  }

  /** A link is CONNECTED, `tookMs` after it was dialled. */
  connected(session: SessionId, tookMs: number): void {
    const place = this.#places.get(session);
    if (place?.sentTo === undefined || !place.holdsSlot) return;
    const wasDoubtful = this.#governor.connected(place, tookMs);
    // Those that queue elsewhere because it was in doubt may go there.
    if (wasDoubtful) this.#unplaced.add(this.#links.all());
  }

  /** A link did not come to life. */
  failed(session: SessionId, pod: Pod, blame: 'pod' | 'session' | 'nobody', now: number): void {
    const place = this.#places.get(session);
    const isReplaced = place?.sentTo !== undefined && place.sentTo !== pod.id;
    if (place !== undefined && !isReplaced) this.#governor.takeBack(place);
    if (blame === 'pod') this.#suspect(pod.id, now);
    if (place === undefined || isReplaced) return;
    if (blame === 'session') refused(place, pod.id);
    if (place.pod === undefined) return;
    place.notBeforeMs = now + this.#waits.backoffMs(place.failures++);
    this.#reconcile(session, place, now);
  }

  /** The session's primary link is at this pod now. */
  arrived(session: SessionId, pod: Pod, now: number): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    const before = place.pod;
    if (before !== undefined) this.#commitment.moved(session);
    began(place, now);
    this.#places.move(session, place, (moved) => {
      if (before !== undefined) leave(moved, before);
      moved.pod = pod;
    });
    place.wants = undefined;
    place.failures = 0;
    if (place.sentTo === pod.id) this.#governor.takeBack(place);
    this.#reconcile(session, place, now);
    this.#lookAfter(place.user, [session]);
  }

  /** The session's primary link is lost. */
  lost(session: SessionId, pod: Pod, blame: 'pod' | 'session', now: number): void {
    const place = this.#places.get(session);
    if (place?.pod?.id === pod.id) {
      ended(place, pod.id, now, this.#random());
      this.#unlinkDropped(session, place, now);
    } else if (place !== undefined) this.#unlink(session, place, now);
    if (blame === 'pod') this.#suspect(pod.id, now);
  }

  #unlinkDropped(session: SessionId, place: Place, now: number): void {
    if (isBouncing(place)) this.#bounced += 1;
    this.#unlink(session, place, now);
  }

  #unlink(session: SessionId, place: Place, now: number): void {
    const wasLast = this.#places.move(session, place, unlink);
    this.#commitment.setAstray(session, false);
    this.#dequeue(session);
    if (wasLast) this.#redirectSiblings(place.user, now);
    this.#lookAfter(place.user, [session]);
  }

  /** The session reads this pod, that it had left, no more. */
  drained(session: SessionId, pod: Pod): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#places.move(session, place, (moved) => drained(moved, pod));
    this.#lookAfter(place.user, [session]);
  }

  /**
   * Are the sessions of this user together?
   * @param moved those that are not where they were at the last look
   */
  #lookAfter(user: string, moved: readonly SessionId[]): void {
    const groups = moved.flatMap((session) => {
      const group = this.#places.groupOf(session);
      return group === undefined ? [] : [[session, group] as const];
    });
    this.#apart.look(this.#places.groupsOf(user), groups, this.committed, (pod) => this.keyOf(pod));
  }

  /** Where one of this user was last, nobody is any more: those that were to follow there look elsewhere. */
  #redirectSiblings(user: string, now: number): void {
    for (const [session, place] of this.#withoutLink(user)) {
      if (this.#links.has(session)) this.#enqueue(session, place, now);
    }
  }

  *#withoutLink(user: string): Iterable<readonly [SessionId, Place]> {
    for (const { where, sessions } of this.#places.groupsOf(user)) {
      if (where.pod !== undefined) continue;
      for (const session of sessions) {
        const place = this.#places.get(session);
        if (place !== undefined) yield [session, place];
      }
    }
  }

  /** The session has ended. */
  close(session: SessionId): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#governor.takeBack(place);
    const alone = this.#places.remove(session);
    this.#dequeue(session);
    this.#commitment.forget(session);
    this.#apart.forget(session);
    this.#lookAfter(place.user, alone === undefined ? [] : [alone]);
  }

  /**
   * Decides what may go now. Call after any other call, and when `nextDeadline` has passed.
   * @param turnMs how long the turns of the event loop were since the last call, on average; see loop-window.ts
   */
  tick(now: number, turnMs = 0): Decisions {
    if (this.#membership.tick(now)) this.#ringChanged(now);
    else this.#placeSome(now);
    this.#wake(now);
    const committed = this.#commit(now);
    const grants = this.#governor.grants(turnMs, now);
    const bounced = this.#bounced;
    this.#bounced = 0;
    return { grants, committed, wereApart: this.#apart.takeOver(), bounced };
  }

  #commit(now: number): SessionId[] {
    const before = this.committed;
    const member = (key: string) => this.#membership.member(key);
    const moved = this.#commitment.commit(this.target, member, this.#unplaced.isEmpty, now);
    const byUser = new Map<string, SessionId[]>();
    for (const session of moved) {
      const place = this.#places.get(session);
      if (place === undefined) continue;
      this.#places.move(session, place, leaveNone);
      const others = byUser.get(place.user);
      if (others === undefined) byUser.set(place.user, [session]);
      else others.push(session);
    }
    for (const user of byUser.keys()) this.#redirectFollowers(user, now);
    // Where a user's sessions read different pods, one of them has moved or they are apart already.
    if (this.committed !== before) for (const user of this.#usersApart()) if (!byUser.has(user)) byUser.set(user, []);
    for (const [user, sessions] of byUser) this.#lookAfter(user, sessions);
    return moved;
  }

  #usersApart(): Set<string> {
    return new Set([...this.#apart.sessions].flatMap((session) => this.#places.get(session)?.user ?? []));
  }

  /** A newcomer on its way to a pod that the others of its user have left turns to the one they are at: producers have moved on. */
  #redirectFollowers(user: string, now: number): void {
    for (const [session, place] of this.#withoutLink(user)) {
      if (place.wants === undefined || !place.follows) continue;
      const choice = this.#chooseLink(place);
      if (choice !== undefined && choice !== ANY_POD && choice !== place.sentTo) this.#enqueue(session, place, now);
    }
  }

  nextDeadline(now: number): number {
    if (!this.#unplaced.isEmpty) return now;
    const at = Math.min(this.#membership.nextDeadline(), this.#commitment.nextDeadline(), this.#delayed.nextMs());
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
    const podId = place.wants === undefined ? this.#candidates.ownerOf(place.key)?.id : this.#chooseLink(place);
    this.#dequeue(session);
    if (podId === undefined) return;
    const notBeforeMs = this.#waits.mayGoAtMs(place, podId, this.#isAtServingPod(place));
    if (notBeforeMs > now) this.#delayed.set(session, notBeforeMs);
    else if (place.wants !== undefined) this.#links.put(session, podId, place.wants === 'recovery');
    else this.#moves.put(session, podId, !this.#isAtServingPod(place));
  }

  /** The first try of one that follows goes where the others of its user are, suspect or not; that link works. */
  #chooseLink(place: Place): string | undefined {
    const owner = this.committed.owner(place.key);
    const isOwner = (pod: Pod) => this.keyOf(pod) === owner;
    const sibling = place.follows ? this.#siblings.podOf(place.user, isOwner) : undefined;
    const pod = sibling ?? this.#candidates.forLink(place.key, place.refusedBy);
    return pod?.id ?? (this.target.keys.length > 0 ? ANY_POD : undefined);
  }

  #isAtServingPod({ pod }: Place): boolean {
    return pod !== undefined && this.#fleet.pod(pod.id)?.state === 'serving';
  }

  #wake(now: number): void {
    for (const session of this.#delayed.takeDue(now)) {
      const place = this.#places.get(session);
      if (place !== undefined) this.#enqueue(session, place, now);
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
}
