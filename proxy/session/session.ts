/**
 * One client's STOMP session: a pure state machine over a set of links.
 *
 * `handle(event, now)` gives the effects of an event, in order; `nextDeadline()` says when to come back with a `tick`.
 * There are no sockets, clocks, timers or random numbers in here, so every interleaving can be replayed.
 *
 *     opening ──first CONNECTED──▶ open ──DISCONNECT──▶ leaving ──its receipt──▶ ended
 *
 * In `open` the session always has either a primary link, or an outage with a bound. A `next` link beside a primary is a
 * handover, without one a recovery; every other link was left and drains.
 */
import type { Frame } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import { announceApart } from './announcements.ts';
import { clientFrame, flushClientHold, left } from './client.ts';
import { Core } from './core.ts';
import { type Deadline, Earliest } from './deadline.ts';
import { type Admission, admit, type MessageMarks, release } from './delivery.ts';
import { resumeDrains, standsStill, stopDrains } from './drains.ts';
import type { Effect } from './effects.ts';
import { end, refuse } from './ending.ts';
import type { LinkId, SessionEvent } from './events.ts';
import type { Link } from './link.ts';
import { fail, linkEnded, linkFrame } from './links.ts';
import { committed, drained, endDrain, granted, hurry, opened, passBarrier, requestLink } from './moves.ts';
import { NO_OWN_HEADERS, type OwnHeaders, type SessionOptions } from './options.ts';

export class Session {
  readonly #core: Core;

  /**
   * @param options of all sessions: it is kept, not copied
   * @param connect the client's CONNECT or STOMP frame; it is kept for every replay
   * @param binary whether the client sent it as a binary WebSocket message; frames of ours go the same way
   */
  constructor(options: SessionOptions, connect: Frame, binary: boolean, own: OwnHeaders = NO_OWN_HEADERS) {
    this.#core = new Core(options, connect, binary, own);
  }

  /** Begins: asks for the first link. */
  start(now: number): Effect[] {
    this.#core.outage = { sinceMs: now, from: undefined, isPlanned: false, attempts: 0 };
    requestLink(this.#core);
    return this.#core.finish(now);
  }

  handle(event: SessionEvent, now: number): Effect[] {
    if (this.#core.phase !== 'ended') this.#dispatch(event, now);
    return this.#core.finish(now);
  }

  /** For the relay's short way: may this message, that the session has not seen, go to the client? */
  admit(marks: MessageMarks, now: number): Admission {
    return admit(this.#core, marks, now);
  }

  get ended(): boolean {
    return this.#core.phase === 'ended';
  }

  /** The pod that the client's frames go to; undefined while there is none. */
  get pod(): Pod | undefined {
    return this.#core.primary?.pod;
  }

  *links(): Iterable<{ readonly pod: Pod; readonly state: string }> {
    const { links, primary, next } = this.#core;
    for (const link of links) {
      const drains = link.state.name === 'live' && link !== primary && link !== next;
      yield { pod: link.pod, state: drains ? 'draining' : link.state.name };
    }
  }

  /** Bytes and frames that wait in here, both directions, for metrics and the budget over all sessions. */
  get held(): { bytes: number; frames: number } {
    const { clientHold, ordering, receipts, splices, transactions } = this.#core;
    return {
      bytes: clientHold.bytes + receipts.bytes + transactions.bytes + splices.heldBytes + (ordering?.heldBytes ?? 0),
      frames:
        clientHold.length + receipts.length + transactions.length + splices.heldFrames + (ordering?.heldFrames ?? 0),
    };
  }

  /** Deliveries that the client has not acknowledged, of links that are gone, too. */
  get unacknowledged(): number {
    return this.#core.acks.size;
  }

  /** When to come back with a `tick`; undefined when nothing is awaited. */
  nextDeadline(): Deadline | undefined {
    const { links, ordering, outage, fullSinceMs, leaveBy, phase, primary, receipts, splices, clientFull } = this.#core;
    if (phase === 'ended') return undefined;
    const next = new Earliest();
    for (const link of links)
      if (!standsStill(this.#core, link)) next.offer(link.deadline(), `link ${link.state.name}`);
    if (fullSinceMs === undefined) {
      if (ordering !== undefined) next.offer(this.#core.realTime(ordering.nextDeadline()), 'held messages may go');
      next.offer(this.#core.realTime(splices.nextDeadline()), 'a copy does not come any more');
    }
    if (outage !== undefined) next.offer(outage.sinceMs + outageMaxMs(this.#core), 'outage-max');
    if (primary !== undefined && clientFull) next.offer(receipts.nextDeadline(), 'receipts that do not come');
    next.offer(leaveBy, 'receipt of DISCONNECT');
    return next.atMs === Number.POSITIVE_INFINITY ? undefined : next;
  }

  #dispatch(event: SessionEvent, now: number): void {
    const core = this.#core;
    switch (event.type) {
      case 'client-frame':
        return clientFrame(core, event.frame, event.binary, now);
      case 'client-garbage':
        return refuse(core, event.error.code, event.error.message);
      case 'client-gone':
        return end(core, { why: 'client-left', code: 1000, reason: '' });
      case 'client-failed':
        return clientFailed(core, event.reason);
      case 'client-full':
        return event.full ? stopDrains(core, now) : resumeDrains(core, now);
      case 'granted':
        granted(core, event.cause, event.pod, now);
        return flushIfLinked(core, now);
      case 'committed':
        return committed(core, now);
      case 'was-apart':
        return announceApart(core);
      case 'shutdown':
        return end(core, { why: 'shutdown', code: 1012, reason: 'service restart' });
      case 'tick':
        return tick(core, now);
      default:
        return this.#dispatchLink(event, now);
    }
  }

  /** Events of links that are gone are late callbacks of the shell: they change nothing. */
  #dispatchLink(event: Extract<SessionEvent, { link: LinkId }>, now: number): void {
    const link = this.#core.links.get(event.link);
    if (link === undefined) return;
    switch (event.type) {
      case 'link-open':
        return opened(this.#core, link);
      case 'link-frame':
        return linkFrame(this.#core, link, event.frame, event.binary, now);
      case 'link-ended':
        return linkEnded(this.#core, link, event.end, now);
    }
  }
}

function clientFailed(core: Core, reason: 'silent' | 'slow'): void {
  if (reason === 'silent') return end(core, { why: 'client-silent', code: 1002, reason: 'heart-beats missed' });
  end(core, { why: 'client-slow', code: 1013, reason: 'messages are not taken fast enough' });
}

function flushIfLinked(core: Core, now: number): void {
  if (core.primary !== undefined) flushClientHold(core, now);
}

function tick(core: Core, now: number): void {
  if (now >= core.leaveBy) return left(core);
  for (const link of core.links) if (!standsStill(core, link)) tickLink(core, link, now);
  if (core.outage !== undefined && now >= core.outage.sinceMs + outageMaxMs(core)) return giveUp(core);
  if (core.primary !== undefined) core.receipts.giveUp(now);
  release(core, now);
  flushIfLinked(core, now);
}

function tickLink(core: Core, link: Link, now: number): void {
  const { state } = link;
  switch (state.name) {
    case 'dialing':
    case 'connecting':
      if (now >= state.untilMs) fail(core, link, 'pod', `no CONNECTED within ${core.options.connectMaxMs} ms`, now);
      return;
    case 'replaying':
      if (now >= state.settleAtMs) passBarrier(core, link, now);
      else if (now >= state.untilMs)
        fail(
          core,
          link,
          'pod',
          `no receipts for its subscriptions within ${core.options.barrierMaxMs} ms; for a backend that gives none set backend.profile or backend.barrier`,
          now,
        );
      return;
    case 'ready':
      if (now >= state.untilMs) hurry(core, link, now);
      return;
    case 'live':
      if (now >= state.drainUntilMs) endDrain(core, link, now);
      return;
    case 'closing':
      if (now >= state.untilMs) cutOld(core, link, now);
      return;
  }
}

/** An old link that does not answer DISCONNECT: whether all has come cannot be known. */
function cutOld(core: Core, link: Link, now: number): void {
  core.emit({ type: 'close-link', link: link.id, how: 'abort' });
  drained(core, link, false, now);
}

/** outage-max 0 holds no session whose link is lost; a first link has its time all the same, or nobody would be let in. */
function outageMaxMs({ options, phase }: Core): number {
  return phase === 'opening' && options.outageMaxMs === 0 ? options.connectMaxMs : options.outageMaxMs;
}

function giveUp(core: Core): void {
  const detail = `No backend took this session for ${outageMaxMs(core)} ms (outage-max). Connect again later.`;
  end(core, { why: 'outage', code: 1013, reason: 'no backend', error: { message: 'no backend', detail } });
}
