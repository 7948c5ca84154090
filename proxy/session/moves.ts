/**
 * How a session moves: dialling, the replay with its barrier, the switch, the drain of what was left, and recovery.
 *
 * Handover is make before break: until the barrier nothing leaves the old link, and a handover that fails leaves the
 * session where it was (`kept`). After the switch the old link is read until nothing more can come.
 */
import { encode, type Frame } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import { announce, announceLost } from './announcements.ts';
import type { Core } from './core.ts';
import { unwatchOrder, watchOrder } from './delivery.ts';
import type { Blame } from './effects.ts';
import { tornTransaction } from './ending.ts';
import type { LinkCause } from './events.ts';
import { Link } from './link.ts';
import { DRAINS_MAX, OWN_RECEIPT } from './options.ts';
import { connectFor, disconnect, receipt, repeatOf, resendOf } from './replay.ts';
import { type Subscription, subscriptionKey } from './subscriptions.ts';

/** Ours on a replayed SUBSCRIBE; the barrier waits for them. */
const BARRIER_RECEIPT = `${OWN_RECEIPT}barrier-`;
const CLOSE_RECEIPT = `${OWN_RECEIPT}close-`;

/** Routing has chosen a pod. What no longer fits (the session ended, or is there already or on its way) only frees routing's slot. */
export function granted(core: Core, cause: LinkCause, pod: Pod, now: number): void {
  const { primary } = core;
  const unfit =
    core.phase === 'leaving' || core.phase === 'ended' || (cause === 'handover') !== (primary !== undefined);
  if (unfit || primary?.pod.id === pod.id || core.next?.pod.id === pod.id) {
    return core.fact({ type: 'link-failed', pod, cause, blame: 'nobody', why: 'no longer wanted', kept: true });
  }
  if (core.next !== undefined) abandon(core, core.next, 'nobody', 'replaced by a newer choice', now);
  const exclusive = exclusiveOf(core);
  if (primary !== undefined && exclusive !== undefined) return breakFirst(core, primary, pod, exclusive, now);
  const old = findOld(core, pod);
  if (old === undefined) return dial(core, cause, pod, now);
  if (isFit(core, old, now)) return goBack(core, old, cause, now);
  const why = 'its old link cannot be taken up now';
  core.fact({ type: 'link-failed', pod, cause, blame: 'session', why, kept: primary !== undefined });
  if (primary === undefined) requestLink(core);
}

/**
 * The backend allows one link of this session at a time, so the old pod is left before the new one is dialled. What the client
 * says meanwhile is held; what comes for it meanwhile is kept by the broker or lost, and the gap is told.
 */
function breakFirst(core: Core, primary: Link, pod: Pod, exclusive: string, now: number): void {
  if (core.transactions.size > 0) {
    const why = 'a transaction of the client is open';
    return core.fact({ type: 'link-failed', pod, cause: 'handover', blame: 'session', why, kept: true });
  }
  core.fact({ type: 'handover-started', from: primary.pod, to: pod });
  core.fact({ type: 'left-first', from: primary.pod, to: pod, why: exclusive });
  core.primary = undefined;
  core.outage = { sinceMs: now, from: primary.pod, isPlanned: true, attempts: 0 };
  core.breakingFor = pod;
  core.emit({ type: 'client-route', link: undefined });
  closeOld(core, primary, now);
}

/** What of the client's frames makes the backend allow one link of it at a time, if anything does. */
function exclusiveOf(core: Core): string | undefined {
  return core.profile.exclusiveBy(core.connect, core.subscriptions.frames());
}

/** The old pod has been left when no link is. */
function dialAfterBreak(core: Core, now: number): void {
  const pod = core.breakingFor;
  if (pod === undefined || core.links.size > 0) return;
  core.breakingFor = undefined;
  dial(core, 'handover', pod, now);
}

/** An old link that is not closing and has every subscription, those too that were made after it was left. */
function isFit(core: Core, old: Link, now: number): boolean {
  return old.state.name === 'live' && core.transactions.size === 0 && knowsAll(core, old, now);
}

/** Subscriptions that changed after the barrier, or while it was an old link, are live on this link, too. */
function knowsAll(core: Core, link: Link, now: number): boolean {
  if (core.profile.barrier === 'receipt') return link.unproven.size === 0 && !core.receipts.owesSubscription(link.id);
  return now >= link.toldAtMs + core.options.settleMs;
}

function findOld(core: Core, pod: Pod): Link | undefined {
  for (const link of core.olds()) if (link.pod.id === pod.id) return link;
  return undefined;
}

function dial(core: Core, cause: LinkCause, pod: Pod, now: number): void {
  const link = new Link(++core.lastLink, pod, cause, now, core.options.connectMaxMs);
  core.links.add(link);
  core.next = link;
  if (core.primary !== undefined) {
    core.heldLongestMs = 0;
    core.fact({ type: 'handover-started', from: core.primary.pod, to: pod });
  }
  for (const subscription of core.subscriptions) joinSplice(core, subscription, link);
  core.emit({ type: 'dial', link: link.id, pod, cause });
}

/** The pod wins a user back while its old link still drains: that link has all subscriptions, so it is primary again. */
function goBack(core: Core, old: Link, cause: LinkCause, now: number): void {
  old.left = undefined;
  core.next = old;
  core.ordering?.promote(old.id);
  if (core.primary !== undefined) core.fact({ type: 'handover-started', from: core.primary.pod, to: old.pod });
  core.fact({ type: 'link-live', pod: old.pod, cause, tookMs: 0 });
  switchTo(core, old, now);
}

export function opened(core: Core, link: Link): void {
  if (link.state.name !== 'dialing') return;
  link.to({ name: 'connecting', untilMs: link.state.untilMs });
  const pinned = core.phase === 'opening' ? undefined : core.version;
  core.sendLink(link, connectFor(core.connect, link.cause, pinned, core.options.linkBeatMs, core.own));
}

/** CONNECTED is here: the subscriptions are said again, and the barrier is what proves them live. */
export function replay(core: Core, link: Link, now: number): void {
  const { options } = core;
  core.fact({ type: 'link-live', pod: link.pod, cause: link.cause, tookMs: now - link.dialedAtMs });
  watchOrder(core, now);
  const awaiting = new Map<string, string | undefined>();
  for (const subscription of core.subscriptions) {
    if (subscription.onlyOn !== undefined) continue;
    const own = core.profile.answers(subscription.frame) ? core.ownReceipt(BARRIER_RECEIPT) : undefined;
    if (own !== undefined) awaiting.set(own, subscription.key);
    joinSplice(core, subscription, link);
    core.sendLink(link, repeatOf(subscription.frame, link.cause, own, core.version));
  }
  const settles = core.profile.barrier === 'settle' && core.subscriptions.size > 0;
  const settleAtMs = settles ? now + options.settleMs : Number.POSITIVE_INFINITY;
  link.to({ name: 'replaying', untilMs: now + options.barrierMaxMs, awaiting, settleAtMs });
  if (awaiting.size === 0 && !settles) passBarrier(core, link, now);
}

/**
 * This link will have copies of the subscription's messages, too: from now on it is noted what others show. That begins when the link is
 * dialled, and not when it is subscribed, because its pod may be later with a message than the others are.
 */
function joinSplice(core: Core, { key, delivery, onlyOn }: Subscription, link: Link): void {
  const [oldest] = core.olds();
  const leader = core.primary ?? oldest;
  if (delivery === 'fanout' && onlyOn === undefined && leader !== undefined) core.splices.join(key, leader.id, link.id);
}

/**
 * A client's SUBSCRIBE or UNSUBSCRIBE while there are several links is said on the others too: it joins the barrier of a new
 * link, and an old one can be taken up again only when it has proven it.
 */
export function mirrorTo(core: Core, link: Link, frame: Frame, now: number): void {
  const { state } = link;
  const own = core.profile.answers(frame) ? core.ownReceipt(BARRIER_RECEIPT) : undefined;
  const subscription = frame.command === 'SUBSCRIBE' ? core.subscriptions.named(frame) : undefined;
  if (subscription !== undefined) joinSplice(core, subscription, link);
  if (own !== undefined && state.name === 'replaying') state.awaiting.set(own, provenBy(frame));
  else if (own !== undefined) link.unproven.add(own);
  link.toldAtMs = now;
  core.sendLink(link, repeatOf(frame, 'handover', own, core.version));
}

function provenBy(frame: Frame): string | undefined {
  return frame.command === 'SUBSCRIBE' ? subscriptionKey(frame) : undefined;
}

/** One of our receipts came back. True when it was one of ours. */
export function barrierReceipt(core: Core, link: Link, id: string, now: number): boolean {
  const { state } = link;
  if (link.unproven.delete(id) && state.name === 'ready') switchIfReady(core, now);
  if (state.name !== 'replaying' || !state.awaiting.has(id)) return id.startsWith(OWN_RECEIPT);
  core.subscriptions.prove(state.awaiting.get(id));
  state.awaiting.delete(id);
  if (state.awaiting.size === 0) passBarrier(core, link, now);
  return true;
}

/**
 * A pod has answered a SUBSCRIBE of the replay with ERROR. If another pod may have refused that one before and went on (RabbitMQ
 * does), the client was told then, and it is no reason not to move: the subscription is dropped. RabbitMQ does not say which frame
 * its ERROR is about, but takes them in order.
 */
export function refusedAgain(core: Core, link: Link, receiptId: string | undefined, now: number): boolean {
  const { state } = link;
  if (state.name !== 'replaying') return false;
  const [oldest] = state.awaiting.keys();
  const answered = receiptId ?? oldest;
  const key = answered === undefined ? undefined : state.awaiting.get(answered);
  if (answered === undefined || key === undefined || !core.subscriptions.isDoubted(key)) return false;
  core.subscriptions.removeKey(key);
  state.awaiting.delete(answered);
  if (state.awaiting.size === 0) passBarrier(core, link, now);
  return true;
}

/** Every subscription of the new link is live. A switch in the middle of a transaction would tear it: that waits. */
export function passBarrier(core: Core, link: Link, now: number): void {
  core.splices.proven(link.id, core.orderTime(now));
  if (core.primary !== undefined && core.transactions.size > 0) {
    link.to({ name: 'ready', untilMs: now + core.options.barrierMaxMs, isDue: false });
    return;
  }
  switchTo(core, link, now);
}

/** A switch that waited for the end of the client's transactions goes on when nothing is in its way any more. */
export function switchIfReady(core: Core, now: number): void {
  const { next } = core;
  if (next?.state.name !== 'ready' || !knowsAll(core, next, now)) return;
  if (core.transactions.size === 0 || core.primary === undefined) switchTo(core, next, now);
  else if (next.state.isDue && core.transactions.areWhole) carryOver(core, next, now);
}

/** A transaction stays open for longer than a move waits: from now on it does not wait for its end any more. */
export function hurry(core: Core, link: Link, now: number): void {
  if (link.state.name !== 'ready') return;
  const why = link.state.isDue ? 'no receipts for new subscriptions' : 'a transaction of the client stayed open';
  if (link.state.isDue || !core.transactions.areWhole) {
    abandon(core, link, 'session', why, now);
    return requestLink(core);
  }
  link.to({ name: 'ready', untilMs: now + core.options.barrierMaxMs, isDue: true });
  switchIfReady(core, now);
}

/** The open transactions are undone on the old link, and said again on the new one. */
function carryOver(core: Core, link: Link, now: number): void {
  if (core.primary === undefined) return;
  for (const transaction of core.transactions.names()) {
    core.sendLink(core.primary, encode('ABORT', { transaction }, undefined, core.version));
  }
  switchTo(core, link, now, true);
}

/** The open transactions from BEGIN on, as if they had been said here first. What has its receipt asks for no other. */
function repeatTransactions(core: Core, link: Link, now: number): void {
  for (const { frame, binary } of core.transactions.frames()) {
    if (!core.receipts.takeFor(frame))
      core.sendLink(link, repeatOf(frame, 'recovery', undefined, core.version), binary);
    else {
      core.receipts.owe(frame, link.id, binary, now);
      core.sendLink(link, resendOf(frame, core.version), binary);
    }
  }
}

/** From here the client's frames go to the new link. This cannot fail and cannot be taken back. */
export function switchTo(core: Core, link: Link, now: number, repeatsTransactions = core.primary === undefined): void {
  const from = core.primary;
  core.primary = link;
  core.next = undefined;
  link.to({ name: 'live', drainUntilMs: Number.POSITIVE_INFINITY, erroredAtMs: undefined });
  if (from !== undefined) leave(core, from, link, now);
  core.emit({ type: 'client-route', link: link.id });
  if (repeatsTransactions) repeatTransactions(core, link, now);
  settleDebts(core, link, now);
  if (core.outage !== undefined) endOutage(core, link, core.outage, now);
}

function leave(core: Core, from: Link, to: Link, now: number): void {
  const { commitMaxMs, drainMaxMs } = core.options;
  from.left = { to: to.pod, atMs: now };
  from.to({ name: 'live', drainUntilMs: now + commitMaxMs + drainMaxMs, erroredAtMs: undefined });
  core.fact({ type: 'switched', from: from.pod, to: to.pod });
}

/** Receipts that dead links owe: what the replay has made true is answered, a SEND is sent again. */
function settleDebts(core: Core, link: Link, now: number): void {
  const orphans = core.receipts.takeOrphans((id) => core.links.has(id));
  let resent = 0;
  for (const { id, frame, binary } of orphans) {
    if (frame.command === 'SEND') {
      core.sendLink(link, resendOf(frame, core.version), binary);
      core.receipts.owe(frame, link.id, binary, now);
      resent++;
    } else core.sendClient(receipt(id, core.version));
  }
  if (resent > 0) core.fact({ type: 'resent', frames: resent });
}

function endOutage(core: Core, link: Link, outage: NonNullable<Core['outage']>, now: number): void {
  core.outage = undefined;
  if (outage.from === undefined) return;
  const gapMs = now - outage.sinceMs;
  core.fact({ type: 'recovered', from: outage.from, to: link.pod, gapMs, attempts: outage.attempts });
  announce(core, { from: outage.from, to: link.pod, planned: outage.isPlanned, gapMs, proven: false });
}

/**
 * A link that did not come to life is given up. With a live link the session stays where it is, else it tries again. One that
 * has heard subscriptions may have got messages already, for producers find it there: it is read until it answers DISCONNECT; but
 * not where one link is all that the backend allows, and the next one is on its way.
 */
export function abandon(core: Core, link: Link, blame: Blame, why: string, now: number): void {
  core.next = undefined;
  const mayLinger = core.primary !== undefined || exclusiveOf(core) === undefined;
  if (link.hears && mayLinger) closeOld(core, link, now);
  else cut(core, link, now);
  tellFailed(core, link, blame, why);
}

/** A link that did not come to life has ended by itself. */
export function abandonEnded(core: Core, link: Link, blame: Blame, why: string, now: number): void {
  const mayHaveHad = link.hears;
  core.next = undefined;
  cut(core, link, now);
  tellFailed(core, link, blame, why);
  if (mayHaveHad) announceLost(core, link);
}

function cut(core: Core, link: Link, now: number): void {
  core.links.delete(link.id);
  core.emit({ type: 'close-link', link: link.id, how: 'abort' });
  unwatchOrder(core, link, now);
  if (core.primary !== undefined) settleDebts(core, core.primary, now);
}

function tellFailed(core: Core, link: Link, blame: Blame, why: string): void {
  const kept = core.primary !== undefined;
  core.fact({ type: 'link-failed', pod: link.pod, cause: link.cause, blame, why, kept });
}

/** Asks for another pod, after a link was lost or did not come to life. */
export function requestLink(core: Core): void {
  if (core.outage === undefined) return;
  const cause = core.outage.from === undefined ? 'open' : 'recovery';
  core.emit({ type: 'request-link', cause, attempt: core.outage.attempts++ });
}

/** The primary link is gone without anybody's wish. A handover that was under way becomes the recovery. */
export function startOutage(core: Core, lost: Link, sinceMs: number): void {
  core.primary = undefined;
  core.outage = { sinceMs, from: lost.pod, isPlanned: false, attempts: 0 };
  core.emit({ type: 'client-route', link: undefined });
  if (core.next === undefined) requestLink(core);
}

/** Nothing more has to be waited for on an old link: DISCONNECT, whose receipt proves that everything has come. */
export function closeOld(core: Core, link: Link, now: number): void {
  const own = core.ownReceipt(CLOSE_RECEIPT);
  const untilMs = now + core.options.closeMaxMs;
  link.to({ name: 'closing', untilMs, receipt: own, proves: !hasMore(core, link, now) });
  core.sendLink(link, disconnect(own, core.version));
}

/**
 * The time of an old link is over. One that shows to have more gets it once more, and one with a backlog of copies that no other
 * link has up to DRAINS_MAX times in all: it gets fewer by reading.
 */
export function endDrain(core: Core, link: Link, now: number): void {
  if (link.state.name !== 'live') return;
  const most = core.splices.isBehind(link.id) ? DRAINS_MAX : 2;
  if (link.drainExtensions + 1 >= most || !hasMore(core, link, now)) return closeOld(core, link, now);
  link.drainExtensions++;
  link.to({ ...link.state, drainUntilMs: now + core.options.drainMaxMs });
}

/**
 * Has an old link more, that would be lost with a DISCONNECT? Copies that no other link has, or with a backend that throws its
 * backlog away (RabbitMQ, Artemis) anything at all: one that was silent for `orderQuietMs` has no backlog.
 */
function hasMore(core: Core, link: Link, now: number): boolean {
  if (core.splices.isBehind(link.id)) return true;
  return !core.profile.disconnectProves && core.orderTime(now) < link.heardAtMs + core.options.orderQuietMs;
}

/** An old link is done. `proven`: it ended in order, so that nothing it had can be missing. */
export function drained(core: Core, link: Link, proven: boolean, now: number): void {
  core.links.delete(link.id);
  if (core.primary !== undefined) core.receipts.giveUp(now);
  if (core.receipts.owesOutcome(link.id, core.transactions)) return tornTransaction(core);
  unwatchOrder(core, link, now);
  if (core.primary !== undefined) settleDebts(core, core.primary, now);
  dialAfterBreak(core, now);
  if (link.left === undefined) {
    if (!proven) announceLost(core, link);
    return;
  }
  const { to } = link.left;
  const isProven = proven && core.profile.barrier === 'receipt';
  core.fact({ type: 'handed-over', from: link.pod, to, gapMs: core.heldLongestMs, proven: isProven });
  announce(core, { from: link.pod, to, planned: true, gapMs: core.heldLongestMs, proven: isProven });
}

/** Every producer has moved on: what old links still hold comes now, so their drain begins. */
export function committed(core: Core, now: number): void {
  for (const link of core.olds()) {
    if (link.state.name !== 'live') continue;
    const drainUntilMs = Math.min(link.state.drainUntilMs, now + core.options.drainMaxMs);
    link.to({ ...link.state, drainUntilMs });
  }
}
