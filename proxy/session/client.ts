/**
 * What the client says. The relay passes plain SEND frames by itself while there is a primary link; everything that
 * changes the session comes here, and while there is no link everything does, to be held in order.
 */
import type { Frame } from '../../stomp/index.ts';
import { acknowledge } from './acknowledge.ts';
import type { Core } from './core.ts';
import { end, refuse } from './ending.ts';
import type { Link } from './link.ts';
import { abandon, mirrorTo, switchIfReady } from './moves.ts';
import { OWN_RECEIPT, SESSION_DESTINATION } from './options.ts';
import { disconnect, receipt } from './replay.ts';

/** The namespace of destinations that are the proxy's own. */
const OWN_DESTINATIONS = '/holdfast/';
/** Our receipt on a DISCONNECT of the client that asked for none. */
const LEAVE_RECEIPT = `${OWN_RECEIPT}leave`;

/** Open transactions of one session, whose names are remembered; a client that needs more forgets to end them. */
export const TRANSACTIONS_MAX = 64;

export function clientFrame(core: Core, frame: Frame, binary: boolean, now: number): void {
  if (core.phase === 'leaving' || core.phase === 'ended') return;
  const broken = brokenRule(frame);
  if (broken !== undefined) return refuse(core, broken.message, broken.detail, frame.header('receipt'));
  if (leavesWithoutLink(core, frame)) return leftAlone(core, frame);
  if (mustWait(core, frame)) return core.clientHold.push({ frame, bytes: frame.bytes, binary });
  pass(core, frame, binary, now);
}

/** Nothing overtakes a held frame, and nothing is answered before CONNECTED. What the proxy answers itself needs no link. */
function mustWait(core: Core, frame: Frame): boolean {
  if (core.phase === 'opening' || core.clientHold.length > 0) return true;
  return core.primary === undefined && !isOwn(core, frame);
}

/** DISCONNECT while there is no link, with nothing held that its receipt would have to vouch for. */
function leavesWithoutLink(core: Core, frame: Frame): boolean {
  const isAlone = core.phase === 'open' && core.primary === undefined && core.clientHold.length === 0;
  return frame.command === 'DISCONNECT' && isAlone && core.receipts.length === 0;
}

function leftAlone(core: Core, frame: Frame): void {
  core.phase = 'leaving';
  core.leaving = frame;
  left(core);
}

/** There is a link again: what was held goes, in order. */
export function flushClientHold(core: Core, now: number): void {
  for (const { frame, binary } of core.clientHold.takeAll()) {
    if (core.phase === 'open') pass(core, frame, binary, now);
  }
}

function pass(core: Core, frame: Frame, binary: boolean, now: number): void {
  if (frame.command === 'SUBSCRIBE' && isFull(core)) return refuseSubscription(core, frame);
  if (frame.command === 'BEGIN' && core.transactions.size >= TRANSACTIONS_MAX) return refuseTransaction(core, frame);
  if (isOwn(core, frame)) answerOwn(core, frame);
  else if (core.primary !== undefined) forward(core, core.primary, frame, binary, now);
}

/** Asked when a SUBSCRIBE is passed on and not when it comes in: those that are held do not count yet. */
function isFull(core: Core): boolean {
  return core.subscriptions.size + core.notices.subscriptions >= core.options.subscriptionsMax;
}

function refuseSubscription(core: Core, frame: Frame): void {
  const detail = `This session has ${core.options.subscriptionsMax} subscriptions, which is the limit (limits.subscriptions).`;
  refuse(core, 'too many subscriptions', detail, frame.header('receipt'));
}

/** The rules that the proxy itself keeps, whatever the backend would say. */
function brokenRule(frame: Frame): { message: string; detail: string } | undefined {
  if (frame.command === 'CONNECT' || frame.command === 'STOMP') {
    return {
      message: 'already connected',
      detail: 'A second CONNECT on one WebSocket is not allowed. Open a new one.',
    };
  }
  if (frame.header('receipt')?.startsWith(OWN_RECEIPT) === true) {
    return {
      message: 'reserved receipt',
      detail: `Receipt ids that begin with "${OWN_RECEIPT}" are reserved. Choose others.`,
    };
  }
  const destination = frame.header('destination');
  if (destination?.startsWith(OWN_DESTINATIONS) === true && !isSessionSubscription(frame)) {
    const detail = `${frame.command} to ${destination} is not possible. Under ${OWN_DESTINATIONS} there is only SUBSCRIBE ${SESSION_DESTINATION}.`;
    return { message: 'reserved destination', detail };
  }
  return undefined;
}

function isSessionSubscription(frame: Frame): boolean {
  const isAbout = frame.command === 'SUBSCRIBE' || frame.command === 'UNSUBSCRIBE';
  return isAbout && frame.header('destination') === SESSION_DESTINATION;
}

function isOwn(core: Core, frame: Frame): boolean {
  if (frame.command === 'SUBSCRIBE') return frame.header('destination') === SESSION_DESTINATION;
  return frame.command === 'UNSUBSCRIBE' && core.notices.has(frame);
}

function answerOwn(core: Core, frame: Frame): void {
  if (frame.command === 'SUBSCRIBE') core.notices.subscribe(frame);
  else core.notices.unsubscribe(frame);
  const asked = frame.header('receipt');
  if (asked !== undefined) core.sendClient(receipt(asked, core.version));
}

function refuseTransaction(core: Core, frame: Frame): void {
  const detail = `This session has ${TRANSACTIONS_MAX} open transactions, which is the limit. COMMIT or ABORT some.`;
  refuse(core, 'too many transactions', detail, frame.header('receipt'));
}

function forward(core: Core, primary: Link, frame: Frame, binary: boolean, now: number): void {
  if (frame.command === 'DISCONNECT') return leave(core, primary, frame, binary, now);
  if (frame.command === 'ACK' || frame.command === 'NACK') return acknowledge(core, frame, binary, now);
  const named = frame.command === 'UNSUBSCRIBE' ? core.subscriptions.named(frame) : undefined;
  if (named?.onlyOn !== undefined && named.onlyOn !== primary.id) return endUnknown(core, frame);
  if (core.profile.answers(frame)) core.receipts.owe(frame, primary.id, binary, now);
  core.sendLink(primary, frame.bytes, binary);
  if (core.profile.transactions) core.transactions.note(frame, binary, core.profile.answers(frame));
  switch (frame.command) {
    case 'SUBSCRIBE':
      return subscribe(core, primary, frame, now);
    case 'UNSUBSCRIBE':
      forget(core, frame);
      if (named?.onlyOn === undefined) tellOthers(core, frame, now);
      return;
    case 'COMMIT':
    case 'ABORT':
      return switchIfReady(core, now);
  }
}

function subscribe(core: Core, primary: Link, frame: Frame, now: number): void {
  const { profile } = core;
  const onlyOn = profile.isReplayed(frame) ? undefined : primary.id;
  const isNew = core.subscriptions.add(frame, { delivery: profile.deliveryOf(frame), onlyOn }, now);
  if (isNew) core.acks.subscribe(frame);
  if (profile.barrier === 'settle') core.fact({ type: 'settling', untilMs: now + core.options.settleMs });
  if (onlyOn === undefined) tellOthers(core, frame, now);
}

/** The end of a subscription that was never said to this pod, which might answer with ERROR. */
function endUnknown(core: Core, frame: Frame): void {
  forget(core, frame);
  const asked = frame.header('receipt');
  if (asked !== undefined) core.sendClient(receipt(asked, core.version));
}

/** Subscriptions that change in the middle of a move change on every link. */
function tellOthers(core: Core, frame: Frame, now: number): void {
  for (const link of core.links) if (link !== core.primary && link.hears) mirrorTo(core, link, frame, now);
}

/** What comes while the client is not subscribed is not missing. */
function forget(core: Core, unsubscribe: Frame): void {
  core.acks.unsubscribe(unsubscribe);
  const removed = core.subscriptions.remove(unsubscribe);
  if (removed === undefined) return;
  core.sequences.forget(removed.id, removed.destination);
  core.splices.remove(removed.key);
}

/**
 * DISCONNECT. It always goes to the pod with a receipt, for Spring answers one without it with ERROR; the client gets an
 * answer only if it asked. A handover that is under way is given up: a switch would leave the answer on the old link.
 */
function leave(core: Core, primary: Link, frame: Frame, binary: boolean, now: number): void {
  if (core.next !== undefined) abandon(core, core.next, 'nobody', 'the client leaves', now);
  core.phase = 'leaving';
  core.leaving = frame;
  core.leaveBy = now + core.options.closeMaxMs;
  const asked = frame.header('receipt') !== undefined;
  core.sendLink(primary, asked ? frame.bytes : disconnect(LEAVE_RECEIPT, core.version), binary);
}

/** The pod's receipt for DISCONNECT is here, or will not come: the client has its answer and the session ends. */
export function left(core: Core): void {
  const asked = core.leaving?.header('receipt');
  if (asked !== undefined) core.sendClient(receipt(asked, core.version));
  end(core, { why: 'client-left', code: 1000, reason: '' });
}

/** Is this the receipt that a DISCONNECT waits for? */
export function isLeaveReceipt(core: Core, id: string): boolean {
  return core.phase === 'leaving' && id === (core.leaving?.header('receipt') ?? LEAVE_RECEIPT);
}
