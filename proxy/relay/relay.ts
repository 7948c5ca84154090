/**
 * One client's relay: the session's effects are performed here, and frames that change nothing pass by it.
 *
 * A pod's MESSAGE goes straight to the client while the session has set its link to `pass`; a client's plain SEND goes
 * straight to the link that `client-route` names. Everything else is shown to the session. Slow peers are answered by not
 * reading the other side, for as long as what they have not taken is above the high mark.
 */
import { type Decoder, type Frame, HEARTBEAT, type Version } from '../../stomp/index.ts';
import { CLOSE, type WholeFrame } from '../../websocket/index.ts';
import type { Pod } from '../discovery/index.ts';
import {
  type Effect,
  Few,
  type LinkCause,
  type LinkEnd,
  type LinkId,
  type MessageMarks,
  marksOf,
  Session,
  type SessionEvent,
} from '../session/index.ts';
import { Alarm } from './alarm.ts';
import { detached, isPlainSend, keepsFrame, noText } from './client-frames.ts';
import { type Glances, glancesOf, isPlain, marksIn } from './glances.ts';
import { Held } from './held.ts';
import type { RelayClient, RelayHost, RelayOptions } from './host.ts';
import { Leg } from './leg.ts';
import { ownNames, withoutOwnHeaders } from './own-headers.ts';
import type { LinkHandlers } from './ports.ts';
import { type LinkEffect, type LinkHearer, Upstream } from './upstream.ts';

export class Relay implements LinkHearer {
  readonly id: number;
  readonly user: string;
  readonly #options: RelayOptions;
  readonly #host: RelayHost;
  readonly #session: Session;
  readonly #client: Leg;
  readonly #clientDecoder: Decoder;
  readonly #links = new Few<Upstream>();
  readonly #glances: Glances;
  readonly #alarm: Alarm;
  readonly #held: Held;
  #clientRoute: Leg | undefined;
  /** What the client has said since its link began to close: until the link's end is known nobody can take it. */
  #parked: { readonly frame: Frame; readonly binary: boolean }[] = [];
  /** What client and pods agreed on; until then 1.2, whose rules read any CONNECTED. */
  #version: Version | undefined;
  #pod: Pod | undefined;
  #slowSinceMs = Number.POSITIVE_INFINITY;
  #isOver = false;
  /** An effect can bring about an event: a message that fills the client. */
  #isPerforming = false;

  /** @param client who has arrived; messages of the socket are to be given to `clientMessage` */
  constructor(id: number, client: RelayClient, options: RelayOptions, host: RelayHost) {
    this.id = id;
    this.user = client.user;
    this.#options = options;
    this.#host = host;
    this.#client = new Leg(client.socket, options.client, host.now());
    this.#clientDecoder = client.decoder;
    this.#glances = glancesOf(options, ownNames(options.session, client.own), client.decoder.limits);
    this.#session = new Session(options.session, detached(client.connect), client.binary, client.own);
    this.#held = new Held(host);
    this.#alarm = new Alarm(host, () => this.#tell({ type: 'tick' }));
  }

  start(): void {
    this.squeeze();
    this.#guard(() => this.#perform(this.#session.start(this.#host.now())));
  }

  links(): Iterable<{ readonly pod: Pod; readonly state: string }> {
    return this.#session.links();
  }

  /** Sockets that are not read now, by side. */
  get paused(): { readonly client: number; readonly link: number } {
    let link = 0;
    for (const { leg } of this.#links) if (leg.socket.isPaused) link++;
    return { client: this.#client.socket.isPaused ? 1 : 0, link };
  }

  granted(cause: LinkCause, pod: Pod): void {
    this.#tell({ type: 'granted', cause, pod });
  }

  committed(): void {
    this.#tell({ type: 'committed' });
  }

  wasApart(): void {
    this.#tell({ type: 'was-apart' });
  }

  shutdown(): void {
    this.#tell({ type: 'shutdown' });
  }

  /** A WebSocket message of the client. */
  clientMessage(bytes: Uint8Array, binary: boolean): void {
    this.clientFrames(this.#clientDecoder.push(bytes), binary);
  }

  /** A client's WebSocket frame that is one plain SEND goes on as it came. @returns whether it did; else it is a message like any other */
  passClientFrame(frame: WholeFrame): boolean {
    const route = this.#clientRoute;
    // What is no text needs an ERROR where pods take text only.
    if (route === undefined || this.#options.podsTakeTextOnly) return false;
    if (route.isUncertain || this.#parked.length > 0) return false;
    if (!isPlain(this.#glances.send, this.#clientDecoder, frame)) return false;
    route.pass(frame, this.#client.socket.heardAtMs);
    this.#saidToPod(route);
    return true;
  }

  /** What the client's decoder has made of a message; its error, if any, comes after the frames before it. */
  clientFrames(frames: readonly (Frame | 'beat')[], binary: boolean): void {
    if (this.#isOver) return;
    for (const frame of frames) if (frame !== 'beat') this.#clientFrame(frame, binary);
    const { error } = this.#clientDecoder;
    if (error !== undefined) this.#tell({ type: 'client-garbage', error });
  }

  clientClosed(code: number): void {
    this.#tell({ type: 'client-gone', code });
  }

  /** The client has taken what was waiting for it: pods are read again. */
  clientDrained(): void {
    this.#slowSinceMs = Number.POSITIVE_INFINITY;
    for (const { leg } of this.#links) leg.socket.pause('client is full', false);
    this.#tell({ type: 'client-full', full: false });
  }

  /**
   * The client is not read while the budget over all sessions is spent and this one holds something, or would. Its pods are:
   * what is held waits for their CONNECTED and RECEIPTs, and would otherwise wait for ever.
   */
  squeeze(): void {
    const holds = this.#held.isSomething || this.#clientRoute === undefined;
    this.#client.socket.pause('budget', holds && this.#host.isBudgetSpent);
  }

  /** Looks after heart-beats and slow clients; to be called a few times per beat. */
  beat(now: number): void {
    for (const link of this.#links) {
      const silentMs = link.leg.beat(now, HEARTBEAT);
      if (silentMs > 0) this.#cutLink(link, silentMs);
    }
    if (this.#client.beat(now, HEARTBEAT) > 0) this.#tell({ type: 'client-failed', reason: 'silent' });
    if (now - this.#slowSinceMs >= this.#options.slowMaxMs) this.#tell({ type: 'client-failed', reason: 'slow' });
  }

  /** We ourselves were not running for so long: nobody is to blame for that much silence. */
  excuse(ms: number): void {
    this.#client.excuse(ms);
    for (const { leg } of this.#links) leg.excuse(ms);
  }

  #cutLink(link: Upstream, silentMs: number): void {
    link.socket.abort();
    this.linkEnded(link, { kind: 'silent', sinceMs: silentMs });
  }

  #clientFrame(said: Frame, binary: boolean): void {
    const error = this.#options.podsTakeTextOnly ? noText(said) : undefined;
    if (error !== undefined) return this.#tell({ type: 'client-garbage', error });
    if (this.#parked.length > 0 || this.#isRouteUncertain()) return this.#park(said, binary);
    const frame = withoutOwnHeaders(said, this.#glances.ownNames);
    const route = this.#clientRoute;
    if (route === undefined || !isPlainSend(frame)) {
      const kept = route === undefined || keepsFrame(frame) ? detached(frame) : frame;
      return this.#tell({ type: 'client-frame', frame: kept, binary });
    }
    this.#toPod(route, frame.bytes, binary);
  }

  #isRouteUncertain(): boolean {
    return this.#clientRoute?.isUncertain === true;
  }

  #park(frame: Frame, binary: boolean): void {
    this.#parked.push({ frame: detached(frame), binary });
    this.#client.socket.pause('link is closing', true);
  }

  #unpark(): void {
    if (this.#parked.length === 0 || this.#isRouteUncertain()) return;
    const parked = this.#parked;
    this.#parked = [];
    this.#client.socket.pause('link is closing', false);
    for (const { frame, binary } of parked) this.#clientFrame(frame, binary);
  }

  linkOpened({ id }: Upstream): void {
    this.#tell({ type: 'link-open', link: id });
  }

  /** A pod's WebSocket frame that is one MESSAGE goes on as it came, unless it is a repeat. */
  passLinkFrame(link: Upstream, frame: WholeFrame): boolean {
    if (!link.passes || !isPlain(this.#glances.message, link.decoder, frame)) return false;
    const marks = marksIn(this.#glances.message);
    if (marks !== undefined && !this.#admits(marks)) return true;
    this.#client.pass(frame, link.socket.heardAtMs);
    this.#saidToClient();
    return true;
  }

  /** Plain MESSAGE frames of a pod, one behind the other, go on as they came. @returns where the first other one begins */
  passLinkFrames(link: Upstream, octets: Uint8Array, from: number, end: number, readAtMs: number): number {
    if (!link.passes || this.#client.socket.passFrames === undefined || !link.decoder.isBetween) return from;
    const to = this.#glances.messages.endOf(octets, from, end);
    if (to === from) return from;
    this.#client.passFrames(octets, from, to, readAtMs);
    this.#saidToClient(this.#glances.messages.frames);
    return to;
  }

  linkMessage(link: Upstream, bytes: Uint8Array, binary: boolean): void {
    const { id } = link;
    if (!this.#links.has(id)) return;
    for (const item of link.read(bytes)) {
      if (item === 'beat') continue;
      if (item.command !== 'MESSAGE' || !link.passes) this.#tell({ type: 'link-frame', link: id, frame: item, binary });
      else if (this.#admits(marksOf(item, this.#options.session.dedupHeader))) this.#toClient(item.bytes, binary);
    }
    const { error } = link.decoder;
    if (error === undefined || !this.#links.has(id)) return;
    link.socket.abort();
    this.linkEnded(link, { kind: 'garbage', error });
  }

  #admits(marks: MessageMarks): boolean {
    const { deliver, facts } = this.#session.admit(marks, this.#host.now());
    for (const fact of facts) this.#host.fact(fact);
    return deliver;
  }

  #toClient(bytes: Uint8Array, binary: boolean): void {
    this.#client.send(bytes, binary, this.#host.now());
    this.#saidToClient();
  }

  #saidToClient(frames = 1): void {
    this.#host.forwarded('to-client', frames);
    if (!this.#client.socket.isFull || this.#slowSinceMs !== Number.POSITIVE_INFINITY) return;
    this.#slowSinceMs = this.#host.now();
    for (const link of this.#links) this.#throttle(link);
    this.#tell({ type: 'client-full', full: true });
  }

  /** A link that is still on its way is read even then, or the pod would be blamed for answers that we do not read. */
  #throttle({ leg, isLive }: Upstream): void {
    if (isLive && this.#client.socket.isFull) leg.socket.pause('client is full', true);
  }

  #toPod(leg: Leg, bytes: Uint8Array, binary: boolean): void {
    leg.send(bytes, binary, this.#host.now());
    this.#saidToPod(leg);
  }

  #saidToPod(leg: Leg): void {
    this.#host.forwarded('to-pod', 1);
    if (leg.socket.isFull) this.#followPod();
  }

  /** The client is read as fast as the pod takes that its frames go to. */
  #followPod(): void {
    this.#client.socket.pause('pod is full', this.#clientRoute?.socket.isFull === true);
  }

  #tell(event: SessionEvent): void {
    if (this.#isOver) return;
    this.#guard(() => this.#perform(this.#session.handle(event, this.#host.now())));
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #perform(effects: readonly Effect[]): void {
    const isNested = this.#isPerforming;
    this.#isPerforming = true;
    for (const effect of effects) this.#performOne(effect);
    this.#isPerforming = isNested;
    if (this.#isOver) return;
    if (this.#session.pod !== this.#pod) {
      this.#pod = this.#session.pod;
      this.#host.movedTo(this.#pod);
    }
    if (this.#held.become(this.#session.held)) this.squeeze();
    this.#alarm.set(this.#session.nextDeadline()?.atMs ?? Number.POSITIVE_INFINITY);
    if (!isNested) this.#unpark();
  }

  #performOne(effect: Effect): void {
    switch (effect.type) {
      case 'request-link':
        return this.#host.requestLink(effect.cause, effect.attempt);
      case 'dial':
        return this.#dial(effect.link, effect.pod);
      case 'client-route':
        return this.#route(effect.link === undefined ? undefined : this.#links.get(effect.link));
      case 'pause-client':
        return this.#client.socket.pause('hold is full', effect.paused);
      case 'send-client':
        return this.#toClient(effect.bytes, effect.binary);
      case 'client-open':
        this.#agree(effect.version);
        return this.#client.setBeats(effect.sendEveryMs, effect.expectEveryMs, this.#host.now());
      case 'close-client':
        this.#client.socket.close(effect.code, effect.reason);
        return this.#over();
      case 'fact':
        return this.#host.fact(effect.fact);
      default:
        return this.#performOnLink(effect, this.#links.get(effect.link));
    }
  }

  #performOnLink(effect: LinkEffect, link: Upstream | undefined): void {
    if (link === undefined) return;
    if (effect.type === 'send-link') return this.#toPod(link.leg, effect.bytes, effect.binary);
    if (effect.type === 'close-link') return this.#closeLink(effect.link, link.leg, effect.how);
    link.set(effect, this.#host.now());
  }

  #route(to: Upstream | undefined): void {
    this.#clientRoute = to?.leg;
    this.#followPod();
    this.squeeze();
    if (to === undefined) return;
    to.isLive = true;
    this.#throttle(to);
  }

  /** From CONNECTED on, escapes and line ends are read by the rules of the version that was agreed on. */
  #agree(version: Version): void {
    this.#version = version;
    this.#clientDecoder.version = version;
    for (const { decoder } of this.#links) decoder.version = version;
  }

  #dial(id: LinkId, pod: Pod): void {
    const dial = (handlers: LinkHandlers) => this.#host.dial(pod, handlers);
    this.#links.add(new Upstream(id, this, dial, this.#options, this.#version, this.#host.now()));
  }

  /** The session is done with the link. A closing one is still heard, since messages may come before the pod's answer. */
  #closeLink(id: LinkId, leg: Leg, how: 'close' | 'abort'): void {
    if (how === 'close') return leg.socket.close(1000, '');
    this.#forget(id);
    leg.socket.abort();
  }

  linkDrained(): void {
    this.#followPod();
    this.#unpark();
  }

  linkEnded({ id }: Upstream, end: LinkEnd): void {
    if (!this.#links.has(id)) return;
    this.#forget(id);
    this.#tell({ type: 'link-ended', link: id, end });
  }

  #forget(id: LinkId): void {
    const link = this.#links.get(id);
    this.#links.delete(id);
    if (link !== undefined) link.passes = false;
    if (link !== undefined && link.leg === this.#clientRoute) this.#route(undefined);
  }

  /** A mistake of ours ends this session, and not the process with all of them. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#host.failed(error);
    for (const { leg } of this.#links) leg.socket.abort();
    this.#links.clear();
    this.#client.socket.close(CLOSE.internalError, 'internal error');
    this.#over();
  }

  #over(): void {
    this.#isOver = true;
    this.#alarm.set(Number.POSITIVE_INFINITY);
    this.#clientRoute = undefined;
    for (const link of this.#links) link.passes = false;
    this.#held.become({ bytes: 0, frames: 0 });
    this.#host.ended();
  }
}
