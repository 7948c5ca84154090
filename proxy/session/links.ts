/** What pods say, and how links end. */
import type { Frame, Version } from '../../stomp/index.ts';
import { parseHeartBeat } from '../../stomp/index.ts';
import { classifyEnd, describeEnd, isPodTrouble } from './classify.ts';
import { flushClientHold, isLeaveReceipt, left } from './client.ts';
import type { Core } from './core.ts';
import { receive, unwatchOrder } from './delivery.ts';
import { end, tornTransaction } from './ending.ts';
import type { LinkEnd } from './events.ts';
import type { Link } from './link.ts';
import {
  abandon,
  abandonEnded,
  barrierReceipt,
  drained,
  refusedAgain,
  replay,
  requestLink,
  startOutage,
  switchIfReady,
} from './moves.ts';
import { ERROR_CLOSE_MS } from './options.ts';
import { connectedFor, receipt } from './replay.ts';
import { subscriptionKey } from './subscriptions.ts';

/** Tries of a first link before a refusal by pods is believed. */
export const REFUSED_TRIES = 3;

export function linkFrame(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  switch (frame.command) {
    case 'MESSAGE':
      return receive(core, link, frame, binary, now);
    case 'RECEIPT':
      return onReceipt(core, link, frame, binary, now);
    case 'ERROR':
      return onError(core, link, frame, binary, now);
    case 'CONNECTED':
      return onConnected(core, link, frame, binary, now);
  }
}

function onConnected(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  if (link.state.name !== 'connecting') return;
  const version = versionOf(frame);
  if (core.phase !== 'opening' && version !== core.version) {
    return fail(core, link, 'session', `it speaks STOMP ${version}, the client was promised ${core.version}`, now);
  }
  startLinkBeats(core, link, frame);
  if (core.phase === 'opening') openClient(core, frame, version, binary);
  core.emit({ type: 'link-takes', link: link.id, rules: core.profile.chunk });
  replay(core, link, now);
  if (core.primary !== undefined) flushClientHold(core, now);
}

/** STOMP 1.0 servers may leave the version out. */
function versionOf(connected: Frame): Version {
  const version = connected.header('version');
  return version === '1.1' || version === '1.2' ? version : '1.0';
}

/** Heart-beats of a link: ours as often as both sides want, theirs as often as they promise (Spring promises its own). */
function startLinkBeats(core: Core, link: Link, connected: Frame): void {
  const [canMs, wantsMs] = parseHeartBeat(connected.header('heart-beat')) ?? [0, 0];
  const { linkBeatMs } = core.options;
  core.emit({
    type: 'link-beats',
    link: link.id,
    sendEveryMs: wantsMs === 0 ? 0 : Math.max(linkBeatMs, wantsMs),
    expectEveryMs: canMs === 0 ? 0 : Math.max(linkBeatMs, canMs),
  });
}

/** The client's CONNECTED is the first pod's, with heart-beats that the proxy keeps itself, whatever pod comes later. */
function openClient(core: Core, connected: Frame, version: Version, binary: boolean): void {
  const [canMs, wantsMs] = parseHeartBeat(core.connect.header('heart-beat')) ?? [0, 0];
  const { clientBeatMs } = core.options;
  const sendEveryMs = wantsMs === 0 ? 0 : Math.max(clientBeatMs, wantsMs);
  const expectEveryMs = canMs === 0 ? 0 : Math.max(clientBeatMs, canMs);
  core.phase = 'open';
  core.version = version;
  core.profile = core.options.profileOf(connected);
  core.fact({ type: 'backend-known', profile: core.profile.name, why: core.profile.why });
  core.sendClient(connectedFor(connected, sendEveryMs, expectEveryMs, version), binary);
  core.emit({ type: 'client-open', version, sendEveryMs, expectEveryMs });
}

function onReceipt(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  const id = frame.header('receipt-id') ?? '';
  if (link.state.name === 'closing' && id === link.state.receipt) return closed(core, link, now);
  if (link === core.primary && isLeaveReceipt(core, id)) return left(core);
  const hadPrimary = core.primary;
  if (barrierReceipt(core, link, id, now)) {
    if (core.primary !== hadPrimary) flushClientHold(core, now);
    return;
  }
  if (isPaid(core, link, id)) core.sendClient(frame.bytes, binary);
}

/** Is this receipt one that the client waits for? */
function isPaid(core: Core, link: Link, id: string): boolean {
  const paid = core.receipts.pay(id, link.id);
  if (paid?.frame.command === 'SUBSCRIBE') core.subscriptions.prove(subscriptionKey(paid.frame));
  const isUncounted = core.profile.barrier === 'settle' && link === core.primary;
  return paid !== undefined || isUncounted || core.receipts.takeGivenUp(id);
}

/** An old link has answered its DISCONNECT: everything it had has come, and it has taken all that it was sent before. */
function closed(core: Core, link: Link, now: number): void {
  core.emit({ type: 'close-link', link: link.id, how: 'close' });
  for (const { id } of core.receipts.takeOf(link.id)) core.sendClient(receipt(id, core.version));
  drained(core, link, link.state.name === 'closing' && link.state.proves, now);
}

function onError(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  if (link === core.next) return onErrorBeforeLive(core, link, frame, binary, now);
  if (link !== core.primary) return;
  if (isPodTrouble(frame)) {
    core.emit({ type: 'close-link', link: link.id, how: 'abort' });
    return linkEnded(core, link, { kind: 'closed', code: 1001, reason: frame.header('message') ?? '' }, now);
  }
  core.sendClient(frame.bytes, binary);
  noteRefusal(core, link, frame.header('receipt-id'), now);
  if (link.state.name === 'live') link.to({ ...link.state, erroredAtMs: now });
}

/** What an ERROR refuses, if the pod says so (ActiveMQ does, RabbitMQ does not): no receipt for that comes any more. */
function noteRefusal(core: Core, link: Link, receiptId: string | undefined, now: number): void {
  if (receiptId === undefined) return core.subscriptions.doubt(now);
  const refused = core.receipts.pay(receiptId, link.id);
  if (refused?.frame.command === 'SUBSCRIBE') core.subscriptions.refused(refused.frame);
}

/** The answer to the client's own CONNECT is the client's; the answer to a replay is ours, and means another try. */
function onErrorBeforeLive(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  const message = frame.header('message') ?? 'ERROR';
  if (isPodTrouble(frame)) return fail(core, link, 'pod', `ERROR: ${message}`, now);
  const hadPrimary = core.primary;
  if (refusedAgain(core, link, frame.header('receipt-id'), now)) {
    if (core.primary !== hadPrimary) flushClientHold(core, now);
    return;
  }
  if (core.phase !== 'opening') return fail(core, link, 'session', `ERROR: ${message}`, now);
  core.sendClient(frame.bytes, binary);
  end(core, { why: 'backend-error', code: 1002, reason: 'the backend refused CONNECT' });
}

/** The link has ended, by whomever. */
export function linkEnded(core: Core, link: Link, linkEnd: LinkEnd, now: number): void {
  if (link === core.primary) return primaryEnded(core, link, linkEnd, now);
  if (link === core.next) return nextEnded(core, link, linkEnd, now);
  drained(core, link, answersDisconnect(link, linkEnd), now);
}

/**
 * Only the answer to our DISCONNECT proves that nothing is missing; RabbitMQ before 3.12 answers it with close 1000 alone. A pod
 * that closes by itself may have thrown away what it had (Spring does, with 1001).
 */
function answersDisconnect(link: Link, linkEnd: LinkEnd): boolean {
  return link.state.name === 'closing' && link.state.proves && linkEnd.kind === 'closed' && linkEnd.code === 1000;
}

function primaryEnded(core: Core, link: Link, linkEnd: LinkEnd, now: number): void {
  core.links.delete(link.id);
  if (core.phase === 'leaving') return left(core);
  const erroredAtMs = link.state.name === 'live' ? link.state.erroredAtMs : undefined;
  const isErrored = erroredAtMs !== undefined && now - erroredAtMs <= ERROR_CLOSE_MS;
  const verdict = classifyEnd(linkEnd, isErrored ? core.profile : undefined);
  if (verdict.kind === 'final') return end(core, verdict);
  core.fact({ type: 'link-lost', pod: link.pod, end: linkEnd, blame: verdict.blame });
  const lostAtMs = linkEnd.kind === 'silent' ? now - linkEnd.sinceMs : now;
  core.receipts.giveUp(lostAtMs);
  if (!core.transactions.areWhole || core.receipts.owesOutcome(link.id, core.transactions))
    return tornTransaction(core);
  startOutage(core, link, lostAtMs);
  unwatchOrder(core, link, now);
  switchIfReady(core, now);
  if (core.primary !== undefined) flushClientHold(core, now);
}

function nextEnded(core: Core, link: Link, linkEnd: LinkEnd, now: number): void {
  const verdict = classifyEnd(linkEnd);
  if (verdict.kind === 'final' && core.primary === undefined) {
    core.links.delete(link.id);
    if (verdict.why !== 'backend-denied') return end(core, verdict);
    const detail = 'The backend does not accept this connection. Sign in again.';
    return end(core, { ...verdict, error: { message: 'not allowed', detail } });
  }
  if (linkEnd.kind === 'handshake' && isRefused(core, linkEnd.status)) return endRefused(core, link, linkEnd.status);
  abandonEnded(core, link, verdict.kind === 'lost' ? verdict.blame : 'session', describeEnd(linkEnd), now);
  requestLink(core);
}

/**
 * The client asks for what pods do not have, a wrong path most often, or is sent to a login, and no WebSocket goes there: after REFUSED_TRIES,
 * each at another pod while there is one, it is told so, instead of after outage-max that there is no backend. One pod may be older than the
 * others. 408, 425 and 429 only say that it is not the time.
 */
function isRefused(core: Core, status: number): boolean {
  const isClients = status >= 300 && status <= 499 && ![408, 425, 429].includes(status);
  return isClients && core.phase === 'opening' && core.outage !== undefined && core.outage.attempts >= REFUSED_TRIES;
}

function endRefused(core: Core, link: Link, status: number): void {
  core.links.delete(link.id);
  const reason = `the backend refused the upgrade with ${status}`;
  const hint = status < 400 ? 'Is the client signed in, and the' : 'Is the';
  const error = {
    message: 'refused by the backend',
    detail: `${reason}. ${hint} path of the WebSocket the right one?`,
  };
  end(core, { why: 'backend-denied', code: 1008, reason, error });
}

/** A link that was to become primary will not. */
export function fail(core: Core, link: Link, blame: 'pod' | 'session', why: string, now: number): void {
  abandon(core, link, blame, why, now);
  requestLink(core);
}
