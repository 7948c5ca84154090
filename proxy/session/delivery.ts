/** What reaches the client, once and in order. */
import type { Frame } from '../../stomp/index.ts';
import { acknowledgeOwn } from './acknowledge.ts';
import type { Core } from './core.ts';
import type { Fact } from './effects.ts';
import type { Link } from './link.ts';
import { type HeldMessage, Ordering } from './ordering.ts';
import { NOTHING_WRONG, parseSequence, type SequenceNumber, type Verdict } from './sequence.ts';

/** May a message go to the client, and what its headers have shown. */
export interface Admission {
  readonly deliver: boolean;
  readonly facts: readonly Fact[];
}

const DELIVER: Admission = { deliver: true, facts: [] };
const DUPLICATE: Admission = { deliver: false, facts: [{ type: 'duplicate-dropped' }] };

const KINDS = ['lost', 'reordered', 'duplicated'] as const;

/** What is looked at of a message that is only passed on; undefined: there is no such header. */
export interface MessageMarks {
  readonly subscription: string | undefined;
  readonly destination: string | undefined;
  /** Of the header that `dedupHeader` names. */
  readonly id: string | undefined;
  /** `holdfast-seq` */
  readonly sequence: string | undefined;
}

export function marksOf(frame: Frame, dedupHeader: string): MessageMarks {
  return {
    subscription: frame.header('subscription'),
    destination: frame.header('destination'),
    id: frame.header(dedupHeader),
    sequence: frame.header('holdfast-seq'),
  };
}

/** Checks a message that is about to be delivered: a repeat of a known id is dropped, sequence numbers are audited. */
export function admit(core: Core, marks: MessageMarks, now: number): Admission {
  if (marks.id === undefined && marks.sequence === undefined) return DELIVER;
  return check(core, idOf(marks), sequenceOf(marks), now);
}

function check(core: Core, id: string | undefined, sequence: SequenceNumber | undefined, now: number): Admission {
  const isRepeat = id !== undefined && !core.dedup.isNew(id, now);
  if (sequence === undefined) return isRepeat ? DUPLICATE : DELIVER;
  const verdict = core.sequences.note(sequence, now);
  if (isRepeat) return dropped(verdict);
  if (verdict === NOTHING_WRONG) return DELIVER;
  const facts = KINDS.flatMap((kind) => factsOf(kind, verdict));
  return facts.length === 0 ? DELIVER : { deliver: true, facts };
}

/** A repeat may come under a number of its own: that one is not missing. What became of the repeat itself is nothing to count. */
function dropped(verdict: Verdict): Admission {
  return verdict.lost === 0 ? DUPLICATE : { deliver: false, facts: [...DUPLICATE.facts, ...factsOf('lost', verdict)] };
}

function factsOf(kind: keyof Verdict, verdict: Verdict): Fact[] {
  return verdict[kind] === 0 ? [] : [{ type: 'sequence', kind, count: verdict[kind] }];
}

function sequenceOf({ subscription, destination, sequence }: MessageMarks): SequenceNumber | undefined {
  return sequence === undefined ? undefined : parseSequence(subscription, destination ?? '', sequence);
}

/** A client that subscribed to one destination twice gets each message twice: a repeat is one on the same subscription. */
function idOf({ subscription, id }: MessageMarks): string | undefined {
  return id === undefined ? undefined : `${subscription ?? ''}\n${id}`;
}

/** Starts to watch the order of messages: from the moment that a second link can have any, because it is told of subscriptions. */
export function watchOrder(core: Core, now: number): void {
  if (core.links.size < 2) return;
  core.ordering ??= new Ordering(core.options, core.sequences);
  for (const { id } of core.links) core.ordering.watch(id, core.orderTime(now));
}

/**
 * A link has ended; what waited for it may go, and when only the primary is left messages pass by the relay again. What a lost
 * link brought may still wait for an older one.
 */
export function unwatchOrder(core: Core, link: Link, now: number): void {
  core.ordering?.unwatch(link.id);
  for (const message of core.splices.leave(link.id, core.orderTime(now))) deliver(core, message, now);
  release(core, now);
}

/**
 * A pod's MESSAGE that the relay did not pass by itself. Those of a shared queue have no order between links but the one that
 * their numbers give. One of a shared queue that could not be acknowledged any more, because its
 * link has had its DISCONNECT or the client has said its own, is not shown: the broker gives it out again.
 */
export function receive(core: Core, link: Link, frame: Frame, binary: boolean, now: number): void {
  const marks = marksOf(frame, core.options.dedupHeader);
  const message: HeldMessage = {
    frame,
    bytes: frame.bytes,
    binary,
    link: link.id,
    destination: marks.destination ?? '',
    id: idOf(marks),
    sequence: sequenceOf(marks),
    arrivedMs: core.orderTime(now),
  };
  const subscription = core.subscriptions.of(frame);
  if (subscription?.delivery === 'fanout') return receiveCopy(core, subscription.key, message, now);
  link.heardAtMs = message.arrivedMs;
  const isShared = subscription?.delivery === 'shared';
  if (isShared && core.acks.wants(frame) && isTooLateToAnswer(core, link)) return;
  if (core.ordering === undefined || (isShared && message.sequence === undefined)) return deliver(core, message, now);
  core.ordering.offer(message, core.orderTime(now));
  release(core, now);
}

function isTooLateToAnswer(core: Core, link: Link): boolean {
  return core.phase === 'leaving' || link.state.name === 'closing';
}

function receiveCopy(core: Core, subscription: string, message: HeldMessage, now: number): void {
  for (const copy of core.splices.offer(subscription, message, core.orderTime(now))) deliver(core, copy, now);
  release(core, now);
}

/** Lets go what may go now. */
export function release(core: Core, now: number): void {
  const { ordering } = core;
  core.splices.expire(core.orderTime(now));
  if (ordering === undefined) return;
  for (const message of ordering.due(core.orderTime(now))) deliver(core, message, now);
  if (core.links.size > 1 || ordering.heldFrames > 0) return;
  core.ordering = undefined;
}

function deliver(core: Core, message: HeldMessage, now: number): void {
  const wantsAck = core.acks.wants(message.frame);
  const checked = check(core, message.id, message.sequence, now);
  const admission = wantsAck && isRedelivered(core, message.frame) ? DELIVER : checked;
  for (const fact of admission.facts) core.fact(fact);
  if (!admission.deliver) {
    if (wantsAck) acknowledgeRepeat(core, message);
    return;
  }
  core.heldLongestMs = Math.max(core.heldLongestMs, core.orderTime(now) - message.arrivedMs);
  const bytes = wantsAck ? core.acks.note(message.frame, message.link, core.version).bytes : message.bytes;
  core.sendClient(bytes, message.binary);
}

/**
 * A broker gives out again what was not acknowledged, and says so: the client must have it, whether it has seen it or not. Of one that
 * does not always say so (Artemis) anything may be such a message. What is checked is remembered all the same: the first delivery may come
 * after it, from a link that was not read.
 */
function isRedelivered(core: Core, frame: Frame): boolean {
  return !core.profile.marksRedelivery || frame.header('redelivered') === 'true';
}

/** The client is not told of a repeat, so the proxy acknowledges it: else the broker would give it out again and again. */
function acknowledgeRepeat(core: Core, message: HeldMessage): void {
  core.acks.note(message.frame, message.link, core.version, true);
  acknowledgeOwn(core, message.link);
}
