/**
 * All relays of the proxy, between the listeners, routing and the links. The only place where routing meets the clock.
 *
 * Routing's decisions are taken once per turn of the event loop, however many wishes and facts came in that turn, so a pod
 * with thousands of sessions that dies is one decision and not thousands.
 */
import type { Ring } from '../../ring/index.ts';
import type { Pod, Topology } from '../discovery/index.ts';
import type { Governed, Routing } from '../routing/index.ts';
import type { Fact, LinkCause } from '../session/index.ts';
import { Budget } from './budget.ts';
import { type Census, takeCensus } from './census.ts';
import type { RelayClient, RelayOptions } from './host.ts';
import { Paced } from './paced.ts';
import type { Dial, UpgradeTarget } from './ports.ts';
import { Relay } from './relay.ts';
import { Rounds } from './rounds.ts';
import { type Services, SessionHost, type Who } from './session-host.ts';
import { Turns } from './turns.ts';

/** Whoever wants to know: metrics and the log. */
export interface Observer {
  fact(session: Who, fact: Fact): void;
  forwarded(direction: 'to-client' | 'to-pod', frames: number): void;
  ringChanged(version: string, committed: string): void;
  /** So many times pods have dropped a session that they, or others, had dropped before. */
  bounced(times: number): void;
  /** A session was ended by a mistake of ours. */
  failed(session: Who, error: unknown): void;
}

export interface Arrival extends RelayClient {
  readonly ringKey: string;
  /** How a pod is asked for this client. */
  readonly target: UpgradeTarget;
}

/** What producers follow, and what is to come. */
export interface Rings {
  readonly committed: Ring;
  readonly target: Ring;
  podOf(key: string): Pod | undefined;
}

/** Where a message reaches all sessions of a user here, as far as is known. */
export interface Whereabouts {
  /** The ring key of the pod; undefined while a session has none. */
  readonly key: string | undefined;
  /** For how long the newest subscription may not be live yet. */
  readonly settlesInMs: number;
}

/** Another process that goes by what routing decides here. */
export interface Follower {
  /**
   * After decisions that changed something.
   * @param ready the version of the ring that could be committed as far as this process knows
   * @param users those of whom something may have changed, with where they are now; undefined: the user has no session any more
   */
  decided(ready: string | undefined, users: Iterable<readonly [user: string, Whereabouts | undefined]>): void;
}

export interface SwitchboardOptions {
  readonly relay: RelayOptions;
  readonly holdTotalBytes: number;
  /** How often the heart-beats of each session are looked after. */
  readonly beatEveryMs: number;
  readonly sessionsMax: number;
  readonly sessionsPerUserMax: number;
}

/**
 * A ring that is committed lets each session that moved end a link, which with the pod's answer is a fifth of a millisecond: less than half of
 * the time goes into that then, and a pod of 5,000 sessions keeps them two seconds longer.
 */
const COMMITS_PER_SECOND = 2_000;

export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #routing: Routing;
  readonly #observer: Observer;
  readonly #now: () => number;
  readonly #services: Services;
  readonly #relays = new Map<number, Relay>();
  readonly #rounds = new Rounds(this.#relays);
  readonly #turns = new Turns();
  readonly #places = new Map<number, Pod>();
  readonly #budget: Budget;
  readonly #ringWatchers = new Set<() => void>();
  /** Until when the newest subscription of a user may not be live. */
  readonly #settling = new Map<string, number>();
  /** Sessions whose producers follow them now. */
  readonly #commits = new Paced<number>(COMMITS_PER_SECOND, (session) => this.#committed(session));
  #follower: Follower | undefined;
  #readyTold: string | undefined;
  /** Users of whom something may have changed since the last decision. */
  readonly #touched = new Set<string>();
  #lastId = 0;
  #decisionDue = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #beatTimer: NodeJS.Timeout;
  #beatAtMs: number;
  #committedVersion = '';
  #targetVersion = '';

  constructor(options: SwitchboardOptions, routing: Routing, dialer: Dial, observer: Observer, now: () => number) {
    this.#options = options;
    this.#routing = routing;
    this.#observer = observer;
    this.#now = now;
    this.#budget = new Budget(options.holdTotalBytes, () => this.#squeeze());
    this.#services = this.#servicesOf(dialer, observer);
    this.#beatAtMs = now();
    this.#beatTimer = setTimeout(() => this.#beat(), this.#turnMs);
  }

  get size(): number {
    return this.#relays.size;
  }

  get governed(): Governed {
    return this.#routing.governed;
  }

  get held(): { bytes: number; frames: number } {
    return this.#budget.held;
  }

  /** No room for another session at all, besides `arriving` clients that may become some. */
  isFull(arriving: number): boolean {
    return this.#relays.size + arriving >= this.#options.sessionsMax;
  }

  /** The user has as many sessions as one may have. */
  isFullFor(user: string): boolean {
    return this.#routing.sessionsOf(user) >= this.#options.sessionsPerUserMax;
  }

  /** Where plain HTTP of this user goes: to the pod of the user's sessions, or to the owner. */
  podFor(user: string, ringKey: string): Pod | undefined {
    const here = this.#routing.whereIs(user);
    return here === undefined || here === 'wait' ? this.#routing.ownerOf(ringKey, this.#now()) : here;
  }

  /** What is known by looking at each session. */
  census(): Promise<Census> {
    return takeCensus(this.#relays, (id) => this.#places.get(id));
  }

  topology(topology: Topology): void {
    this.#routing.topology(topology, this.#now());
    this.#decideSoon();
  }

  /** The rings of this moment, for producers. */
  rings(): Rings {
    const { committed, target } = this.#routing;
    return { committed, target, podOf: (key) => this.#routing.podOf(key) };
  }

  /** The ring key of the pod where a message reaches all of the user's sessions here; undefined when there is none. */
  keyOf(user: string): string | undefined {
    const pod = this.#routing.whereIs(user);
    return pod === undefined || pod === 'wait' ? undefined : this.#routing.keyOf(pod);
  }

  /** A message for the user should wait: a session has no pod at this moment, or a pod that may not have its subscription yet. */
  isMoving(user: string): boolean {
    return this.#routing.whereIs(user) === 'wait' || this.#now() < (this.#settling.get(user) ?? 0);
  }

  /** One that follows sees every decision from the next one on. */
  followedBy(follower: Follower): void {
    this.#follower = follower;
  }

  /** The ring of this version is committed by every process of the proxy. */
  permitCommit(version: string): void {
    this.#routing.permitCommit(version);
    this.#decideSoon();
  }

  /** Called after each change of the target or committed ring. */
  onRing(watcher: () => void): () => void {
    this.#ringWatchers.add(watcher);
    return () => this.#ringWatchers.delete(watcher);
  }

  /** Takes a client in. The caller gives every further message and the close of the socket to the relay. */
  open(arrival: Arrival): Relay {
    const id = ++this.#lastId;
    const host = new SessionHost(id, arrival.user, arrival.target, this.#services);
    const relay = new Relay(id, arrival, this.#options.relay, host);
    this.#relays.set(id, relay);
    this.#routing.open(id, arrival.user, arrival.ringKey);
    relay.start();
    return relay;
  }

  /** Ends every session with 1012, at most `perSecond` of them, and resolves when the last client is told. Opens none after. */
  async close(perSecond: number): Promise<void> {
    const pauseMs = 1000 / perSecond;
    for (const relay of [...this.#relays.values()]) {
      relay.shutdown();
      if (this.#relays.size > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    this.#isClosed = true;
    clearTimeout(this.#beatTimer);
    clearTimeout(this.#timer);
    this.#commits.stop();
  }

  #servicesOf(dialer: Dial, observer: Observer): Services {
    return {
      now: this.#now,
      dial: (pod, target, handlers) => dialer.dial(pod, target, handlers),
      requestLink: ({ id, user }, cause, attempt) => {
        this.#routing.request(id, cause, attempt, this.#now());
        this.#touch(user);
        this.#decideSoon();
      },
      movedTo: ({ id, user }, pod) => this.#movedTo(id, user, pod),
      fact: (who, fact) => this.#fact(who, fact),
      forwarded: (direction, frames) => observer.forwarded(direction, frames),
      held: (bytes, frames) => this.#budget.add(bytes, frames),
      isBudgetSpent: () => this.#budget.isSpent,
      ended: ({ id, user }) => this.#ended(id, user),
      failed: (who, error) => observer.failed(who, error),
    };
  }

  #fact(session: Who, fact: Fact): void {
    const now = this.#now();
    if (fact.type === 'link-live') this.#routing.connected(session.id, fact.tookMs);
    else if (fact.type === 'link-failed') this.#routing.failed(session.id, fact.pod, fact.blame, now);
    else if (fact.type === 'settling') this.#settling.set(session.user, fact.untilMs);
    else if (fact.type === 'link-lost') this.#routing.lost(session.id, fact.pod, fact.blame, now);
    else if (fact.type === 'handed-over') this.#routing.drained(session.id, fact.from);
    this.#observer.fact(session, fact);
    this.#touch(session.user);
    this.#decideSoon();
  }

  #movedTo(id: number, user: string, pod: Pod | undefined): void {
    this.#touch(user);
    if (pod === undefined) {
      this.#places.delete(id);
      return;
    }
    this.#places.set(id, pod);
    this.#routing.arrived(id, pod, this.#now());
    this.#decideSoon();
  }

  #ended(id: number, user: string): void {
    this.#touch(user);
    this.#places.delete(id);
    this.#relays.delete(id);
    this.#routing.close(id);
    this.#decideSoon();
  }

  #decideSoon(): void {
    if (this.#decisionDue || this.#isClosed) return;
    this.#decisionDue = true;
    setImmediate(() => this.#decide());
  }

  #decide(): void {
    this.#decisionDue = false;
    const { grants, committed, wereApart, bounced } = this.#routing.tick(this.#now(), this.#turns.takeMs());
    if (bounced > 0) this.#observer.bounced(bounced);
    for (const { session, cause, pod } of grants) this.#granted(session, cause, pod);
    for (const session of committed) this.#commits.add(session);
    for (const session of wereApart) this.#relays.get(session)?.wasApart();
    this.#tellRing();
    this.#tellFollower();
    this.#schedule();
  }

  /** That links which it has left may end it is told before it can leave another one: it would take that for the one that is meant. */
  #granted(session: number, cause: LinkCause, pod: Pod): void {
    this.#commits.hurry(session);
    this.#relays.get(session)?.granted(cause, pod);
  }

  #committed(session: number): void {
    const relay = this.#relays.get(session);
    if (relay === undefined) return;
    this.#touch(relay.user);
    relay.committed();
  }

  #touch(user: string): void {
    if (this.#follower !== undefined) this.#touched.add(user);
  }

  #tellFollower(): void {
    if (this.#follower === undefined) return;
    const ready = this.#routing.readyToCommit;
    if (ready === this.#readyTold && this.#touched.size === 0) return;
    this.#readyTold = ready;
    const users = [...this.#touched].map((user) => [user, this.#whereabouts(user)] as const);
    this.#touched.clear();
    this.#follower.decided(ready, users);
  }

  #whereabouts(user: string): Whereabouts | undefined {
    const pod = this.#routing.whereIs(user);
    if (pod === undefined) return undefined;
    const settlesInMs = Math.max(0, (this.#settling.get(user) ?? 0) - this.#now());
    return { key: pod === 'wait' ? undefined : this.#routing.keyOf(pod), settlesInMs };
  }

  #tellRing(): void {
    const { target, committed } = this.#routing;
    if (target.version === this.#targetVersion && committed.version === this.#committedVersion) return;
    this.#targetVersion = target.version;
    this.#committedVersion = committed.version;
    this.#observer.ringChanged(target.version, committed.version);
    for (const watcher of this.#ringWatchers) watcher();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const now = this.#now();
    const atMs = this.#routing.nextDeadline(now);
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#decideSoon(), Math.max(0, Math.ceil(atMs - now)));
  }

  get #turnMs(): number {
    return this.#options.beatEveryMs / this.#rounds.turns;
  }

  /** A turn that comes late shows for how long we did not run: an event loop that was blocked, a machine that slept. */
  #beat(): void {
    const now = this.#now();
    const lateMs = now - this.#beatAtMs - this.#turnMs;
    this.#beatAtMs = now;
    for (const [user, untilMs] of this.#settling) if (untilMs <= now) this.#settling.delete(user);
    if (lateMs > this.#options.beatEveryMs) for (const relay of this.#relays.values()) relay.excuse(lateMs);
    for (const relay of this.#rounds.next()) relay.beat(now);
    this.#beatTimer = setTimeout(() => this.#beat(), this.#turnMs);
  }

  #squeeze(): void {
    for (const relay of this.#relays.values()) relay.squeeze();
  }
}
