/**
 * The state of a session, and the list of effects that the event at hand has brought so far.
 *
 * The files beside this one are the rules: client.ts (what the client says), links.ts (what pods say), moves.ts (handover,
 * recovery, drain), delivery.ts (what reaches the client and when), ending.ts. They are functions over this state.
 */
import type { Frame, Version } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import { Acks } from './acks.ts';
import { Dedup } from './dedup.ts';
import type { Effect, Fact } from './effects.ts';
import type { LinkId } from './events.ts';
import { Few } from './few.ts';
import { type Held, Hold } from './hold.ts';
import type { Link } from './link.ts';
import { Notices } from './notices.ts';
import type { OwnHeaders, SessionOptions } from './options.ts';
import type { Ordering } from './ordering.ts';
import type { Profile } from './profile.ts';
import { Receipts } from './receipts.ts';
import { Sequences } from './sequence.ts';
import { SparseSet } from './sparse.ts';
import { Splices } from './splices.ts';
import { Subscriptions } from './subscriptions.ts';
import { Transactions } from './transactions.ts';

/**
 * - `opening`: CONNECT is here, the first pod's CONNECTED is not.
 * - `open`: the client has CONNECTED.
 * - `leaving`: DISCONNECT is on its way to the pod, its receipt is owed.
 * - `ended`: nothing is done any more, whatever comes.
 */
export type Phase = 'opening' | 'open' | 'leaving' | 'ended';

export interface HeldClientFrame extends Held {
  readonly frame: Frame;
}

/** A span without any live link. */
export interface Outage {
  readonly sinceMs: number;
  readonly from: Pod | undefined;
  /** The old pod was left on purpose before the new one was dialled: break before make. */
  readonly isPlanned: boolean;
  attempts: number;
}

/** More than the rounding error of any time that a process can reach, and less than a timer can tell. */
const ROUNDING_MS = 0.001;

export class Core {
  readonly options: SessionOptions;
  readonly connect: Frame;
  readonly connectBinary: boolean;
  readonly own: OwnHeaders;

  profile: Profile;
  phase: Phase = 'opening';
  version: Version = '1.0';
  leaveBy = Number.POSITIVE_INFINITY;
  /** The DISCONNECT that is under way, and whether its receipt was asked for by the client. */
  leaving: Frame | undefined;

  readonly links = new Few<Link>();
  primary: Link | undefined;
  /** The link that is to become primary. */
  next: Link | undefined;
  lastLink: LinkId = 0;
  lastReceipt = 0;
  outage: Outage | undefined;
  /** Where to dial when the last old link has ended; break before make. */
  breakingFor: Pod | undefined;
  /** Since when live links are not read because the client is full. Their drains stand still that long. */
  fullSinceMs: number | undefined;
  /** How long that has been in all before. */
  stoodMs = 0;

  readonly subscriptions = new Subscriptions();
  readonly notices = new Notices();
  readonly receipts = new Receipts();
  readonly acks = new Acks();
  readonly transactions: Transactions;
  readonly clientHold = new Hold<HeldClientFrame>();
  readonly dedup: Dedup;
  readonly sequences = new Sequences();
  /** Set while messages of more than one link have to be put in order. */
  ordering: Ordering | undefined;
  /** Copies that several links bring of one message. */
  readonly splices: Splices;
  /** The longest time a message waited in the current handover. */
  heldLongestMs = 0;

  #clientPaused = false;
  /** The link whose messages pass by the session. */
  #passing: LinkId | undefined;
  readonly #pausedLinks = new SparseSet<LinkId>();
  #effects: Effect[] = [];

  constructor(options: SessionOptions, connect: Frame, connectBinary: boolean, own: OwnHeaders) {
    this.options = options;
    this.profile = options.profileOf(undefined);
    this.connect = connect;
    this.connectBinary = connectBinary;
    this.own = own;
    this.splices = new Splices(options.holdBytes);
    this.transactions = new Transactions(options.holdBytes);
    this.dedup = new Dedup(options.dedupWindow, options.dedupMaxAgeMs);
  }

  /**
   * The time by which messages wait for each other. It stands still while the client is full: links are not read then, so their
   * silence proves nothing.
   */
  orderTime(now: number): number {
    return (this.fullSinceMs ?? now) - this.stoodMs;
  }

  /**
   * When that moment of `orderTime` is. A sum that is taken apart again may be less than it was, by a rounding error, and the moment
   * would never come: it is a microsecond later.
   */
  realTime(orderMs: number): number {
    return this.stoodMs === 0 ? orderMs : orderMs + this.stoodMs + ROUNDING_MS;
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  fact(fact: Fact): void {
    this.#effects.push({ type: 'fact', fact });
  }

  sendLink(link: Link, bytes: Uint8Array, binary: boolean = this.connectBinary): void {
    this.#effects.push({ type: 'send-link', link: link.id, bytes, binary });
  }

  sendClient(bytes: Uint8Array, binary: boolean = this.connectBinary): void {
    this.#effects.push({ type: 'send-client', bytes, binary });
  }

  /** A receipt id of our own, unlike any that came before in this session. */
  ownReceipt(prefix: string): string {
    return `${prefix}${++this.lastReceipt}`;
  }

  /** Links that were left and still drain, live or closing. */
  *olds(): Iterable<Link> {
    for (const link of this.links) if (link !== this.primary && link !== this.next) yield link;
  }

  hasOlds(): boolean {
    return this.links.size > (this.primary === undefined ? 0 : 1) + (this.next === undefined ? 0 : 1);
  }

  /**
   * What is held of the client, frames that wait for a link and frames that wait for their receipts together: past the bound no
   * more is read. One becomes the other when a link is there, and the sum does not grow by that.
   */
  get clientFull(): boolean {
    return this.clientHold.bytes + this.receipts.bytes > this.options.holdBytes;
  }

  /** Ends the event: reading stops or goes on where a bound was crossed, and the effects are handed out. */
  finish(now: number): Effect[] {
    if (this.phase !== 'ended') {
      this.#balance(now);
      this.#route();
    }
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #balance(now: number): void {
    const clientPaused = this.clientFull;
    if (clientPaused !== this.#clientPaused) {
      this.#clientPaused = clientPaused;
      this.emit({ type: 'pause-client', paused: clientPaused });
    }
    for (const link of this.links) this.#balanceLink(link, now);
  }

  /** Messages of the only link that matters pass by as they come, unless each has to be looked at. */
  #route(): void {
    const isPlain = this.ordering === undefined && this.splices.size === 0 && !this.acks.isUsed;
    const passing = isPlain ? this.primary?.id : undefined;
    if (passing === this.#passing) return;
    const before = this.#passing;
    if (before !== undefined && this.links.has(before)) this.emit({ type: 'link-route', link: before, route: 'ask' });
    if (passing !== undefined) this.emit({ type: 'link-route', link: passing, route: 'pass' });
    this.#passing = passing;
  }

  /** Only links whose messages are held are paused; the oldest link's messages pass, so it is always read. */
  #balanceLink(link: Link, now: number): void {
    const isAhead = this.ordering?.full === true && this.ordering.holdsBack(link.id);
    const paused = isAhead || this.splices.holdsBack(link.id);
    if (paused === this.#pausedLinks.has(link.id)) return;
    if (paused) this.#pausedLinks.add(link.id);
    else this.#pausedLinks.delete(link.id);
    this.splices.read(link.id, !paused, this.orderTime(now));
    this.ordering?.read(link.id, !paused, this.orderTime(now));
    this.emit({ type: 'pause-link', link: link.id, paused });
  }
}
