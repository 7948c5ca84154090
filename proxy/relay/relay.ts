/**
 * One client's relay: the session's effects are performed here, and frames that change nothing pass by it.
 *
 * A pod's MESSAGE goes straight to the client while the session has set its link to `pass`; a client's plain SEND goes
 * straight to the link that `client-route` names. Everything else is shown to the session. Slow peers are answered by not
 * reading the other side, for as long as what they have not taken is above the high mark.
 */
import { Decoder, type DecoderLimits, type Frame, frameOf, HEARTBEAT } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import type { LinkCause, LinkEnd, LinkId } from '../session/index.ts';
import { type Effect, type Fact, Session, type SessionEvent, type SessionOptions } from '../session/index.ts';
import { Leg, type LegOptions } from './leg.ts';
import { withoutOwnHeaders } from './own-headers.ts';
import type { LinkHandlers } from './ports.ts';
import type { Socket } from './socket.ts';

/** What a relay needs from the rest of the proxy. */
export interface RelayHost {
  now(): number;
  dial(pod: Pod, handlers: LinkHandlers): Socket;
  /** The session wants a link; answered by `Relay.granted`, never from within this call. */
  requestLink(relay: Relay, cause: 'open' | 'recovery', attempt: number): void;
  /** The session's primary link is at another pod, or (undefined) it has none. */
  movedTo(relay: Relay, pod: Pod | undefined): void;
  fact(relay: Relay, fact: Fact): void;
  forwarded(direction: 'to-client' | 'to-pod'): void;
  /** What the session holds has changed by so much. */
  held(bytes: number, frames: number): void;
  ended(relay: Relay): void;
}

/** A client whose user is known and whose CONNECT is here. */
export interface RelayClient {
  readonly user: string;
  readonly connect: Frame;
  /** Whether CONNECT came as a binary message. */
  readonly binary: boolean;
  readonly socket: Socket;
  /** What has read CONNECT goes on reading. */
  readonly decoder: Decoder;
}

export interface RelayOptions {
  readonly session: SessionOptions;
  /** Limits for frames of pods, which the backend may set higher than clients' are. */
  readonly podLimits: Partial<DecoderLimits>;
  readonly link: LegOptions;
  readonly client: LegOptions;
  /** A client that stays full for this long is closed. */
  readonly slowMaxMs: number;
}

export class Relay {
  readonly id: number;
  readonly user: string;
  readonly #options: RelayOptions;
  readonly #host: RelayHost;
  readonly #session: Session;
  readonly #client: Leg;
  readonly #clientDecoder: Decoder;
  readonly #links = new Map<LinkId, Leg>();
  /** Links whose MESSAGE frames pass. */
  readonly #passing = new Set<LinkId>();
  #clientRoute: Leg | undefined;
  #pod: Pod | undefined;
  #held = { bytes: 0, frames: 0 };
  #slowSinceMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isOver = false;

  /** @param client who has arrived; messages of the socket are to be given to `clientMessage` */
  constructor(id: number, client: RelayClient, options: RelayOptions, host: RelayHost) {
    this.id = id;
    this.user = client.user;
    this.#options = options;
    this.#host = host;
    this.#client = new Leg(client.socket, options.client, host.now());
    this.#clientDecoder = client.decoder;
    this.#session = new Session(options.session, detached(client.connect), client.binary);
  }

  start(): void {
    this.#perform(this.#session.start(this.#host.now()));
  }

  links(): Iterable<{ readonly pod: Pod; readonly state: string }> {
    return this.#session.links();
  }

  granted(cause: LinkCause, pod: Pod): void {
    this.#tell({ type: 'granted', cause, pod });
  }

  committed(): void {
    this.#tell({ type: 'committed' });
  }

  shutdown(): void {
    this.#tell({ type: 'shutdown' });
  }

  /** A WebSocket message of the client. */
  clientMessage(bytes: Uint8Array, binary: boolean): void {
    this.clientFrames(this.#clientDecoder.push(bytes), binary);
  }

  /** What the client's decoder has made of a message; its error, if any, comes after the frames before it. */
  clientFrames(frames: readonly (Frame | 'beat')[], binary: boolean): void {
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
    for (const leg of this.#links.values()) leg.socket.pause('client is full', false);
  }

  /** Stops or resumes both directions while the budget over all sessions is spent; only sessions that hold something. */
  squeeze(squeezed: boolean): void {
    const paused = squeezed && this.#held.bytes > 0;
    this.#client.socket.pause('budget', paused);
    for (const leg of this.#links.values()) leg.socket.pause('budget', paused);
  }

  /** Looks after heart-beats and slow clients; to be called a few times per beat. */
  beat(now: number): void {
    for (const [id, leg] of this.#links) {
      const silentMs = leg.beat(now, HEARTBEAT);
      if (silentMs > 0) this.#cutLink(id, leg, silentMs);
    }
    if (this.#client.beat(now, HEARTBEAT) > 0) this.#tell({ type: 'client-failed', reason: 'silent' });
    if (now - this.#slowSinceMs >= this.#options.slowMaxMs) this.#tell({ type: 'client-failed', reason: 'slow' });
  }

  /** We ourselves were not running for a while: nobody is to blame for having been silent. */
  excuse(): void {
    this.#client.excuse();
    for (const leg of this.#links.values()) leg.excuse();
  }

  #cutLink(id: LinkId, leg: Leg, silentMs: number): void {
    leg.socket.abort();
    this.#linkEnded(id, { kind: 'silent', sinceMs: silentMs });
  }

  #clientFrame(said: Frame, binary: boolean): void {
    const frame = said.command === 'SEND' ? withoutOwnHeaders(said, this.#options.session.dedupHeader) : said;
    const route = this.#clientRoute;
    if (route === undefined || !isPlainSend(frame)) {
      return this.#tell({ type: 'client-frame', frame: keepsFrame(frame) ? detached(frame) : frame, binary });
    }
    this.#toPod(route, frame.bytes, binary);
  }

  #linkMessage(id: LinkId, leg: Leg, decoder: Decoder, bytes: Uint8Array, binary: boolean): void {
    for (const item of decoder.push(bytes)) {
      if (item === 'beat') continue;
      if (item.command === 'MESSAGE' && this.#passing.has(id)) this.#pass(item, binary);
      else this.#tell({ type: 'link-frame', link: id, frame: item, binary });
    }
    if (decoder.error === undefined || !this.#links.has(id)) return;
    leg.socket.abort();
    this.#linkEnded(id, { kind: 'garbage', error: decoder.error });
  }

  /** The short way: what a MESSAGE costs while nothing moves. */
  #pass(frame: Frame, binary: boolean): void {
    const { deliver, facts } = this.#session.admit(frame, this.#host.now());
    for (const fact of facts) this.#host.fact(this, fact);
    if (deliver) this.#toClient(frame.bytes, binary);
  }

  #toClient(bytes: Uint8Array, binary: boolean): void {
    this.#client.send(bytes, binary, this.#host.now());
    this.#host.forwarded('to-client');
    if (!this.#client.socket.isFull || this.#slowSinceMs !== Number.POSITIVE_INFINITY) return;
    this.#slowSinceMs = this.#host.now();
    for (const leg of this.#links.values()) leg.socket.pause('client is full', true);
  }

  #toPod(leg: Leg, bytes: Uint8Array, binary: boolean): void {
    leg.send(bytes, binary, this.#host.now());
    this.#host.forwarded('to-pod');
    if (leg.socket.isFull) this.#client.socket.pause('pod is full', true);
  }

  #tell(event: SessionEvent): void {
    if (this.#isOver) return;
    this.#perform(this.#session.handle(event, this.#host.now()));
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) this.#performOne(effect);
    if (this.#isOver) return;
    if (this.#session.pod !== this.#pod) {
      this.#pod = this.#session.pod;
      this.#host.movedTo(this, this.#pod);
    }
    this.#account();
    this.#schedule();
  }

  #performOne(effect: Effect): void {
    switch (effect.type) {
      case 'request-link':
        return this.#host.requestLink(this, effect.cause, effect.attempt);
      case 'dial':
        return this.#dial(effect.link, effect.pod);
      case 'client-route':
        this.#clientRoute = effect.link === undefined ? undefined : this.#links.get(effect.link);
        return;
      case 'pause-client':
        return this.#client.socket.pause('hold is full', effect.paused);
      case 'send-client':
        return this.#toClient(effect.bytes, effect.binary);
      case 'client-open':
        this.#clientDecoder.version = effect.version;
        return this.#client.setBeats(effect.sendEveryMs, effect.expectEveryMs, this.#host.now());
      case 'close-client':
        this.#client.socket.close(effect.code, effect.reason);
        return this.#over();
      case 'fact':
        return this.#host.fact(this, effect.fact);
      default:
        return this.#performOnLink(effect, this.#links.get(effect.link));
    }
  }

  #performOnLink(effect: Extract<Effect, { link: LinkId }>, leg: Leg | undefined): void {
    if (leg === undefined) return;
    switch (effect.type) {
      case 'send-link':
        return this.#toPod(leg, effect.bytes, effect.binary);
      case 'close-link':
        return this.#closeLink(effect.link, leg, effect.how);
      case 'link-beats':
        return leg.setBeats(effect.sendEveryMs, effect.expectEveryMs, this.#host.now());
      case 'link-route':
        if (effect.route === 'pass') this.#passing.add(effect.link);
        else this.#passing.delete(effect.link);
        return;
      case 'pause-link':
        return leg.socket.pause('hold is full', effect.paused);
    }
  }

  #dial(id: LinkId, pod: Pod): void {
    const decoder = new Decoder({ peer: 'server', limits: this.#options.podLimits });
    const socket = this.#host.dial(pod, {
      onOpen: () => this.#tell({ type: 'link-open', link: id }),
      onMessage: (bytes, binary) => this.#linkMessage(id, leg, decoder, bytes, binary),
      onDrain: () => this.#client.socket.pause('pod is full', false),
      onEnd: (end) => this.#linkEnded(id, end),
    });
    const leg = new Leg(socket, this.#options.link, this.#host.now());
    if (this.#client.socket.isFull) socket.pause('client is full', true);
    this.#links.set(id, leg);
  }

  /** The session is done with the link. A closing one is still heard, since messages may come before the pod's answer. */
  #closeLink(id: LinkId, leg: Leg, how: 'close' | 'abort'): void {
    if (how === 'close') return leg.socket.close(1000, '');
    this.#forget(id);
    leg.socket.abort();
  }

  #linkEnded(id: LinkId, end: LinkEnd): void {
    const leg = this.#links.get(id);
    if (leg === undefined) return;
    this.#forget(id);
    if (leg.socket.isFull) this.#client.socket.pause('pod is full', false);
    this.#tell({ type: 'link-ended', link: id, end });
  }

  #forget(id: LinkId): void {
    if (this.#clientRoute === this.#links.get(id)) this.#clientRoute = undefined;
    this.#links.delete(id);
    this.#passing.delete(id);
  }

  #account(): void {
    const { bytes, frames } = this.#session.held;
    if (bytes === this.#held.bytes && frames === this.#held.frames) return;
    this.#host.held(bytes - this.#held.bytes, frames - this.#held.frames);
    this.#held = { bytes, frames };
  }

  /** One timer, for the session's next deadline; most sessions have none. */
  #schedule(): void {
    const atMs = this.#session.nextDeadline()?.atMs ?? Number.POSITIVE_INFINITY;
    if (atMs === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, Math.ceil(atMs - this.#host.now())));
  }

  #wake(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    this.#tell({ type: 'tick' });
  }

  #over(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#host.held(-this.#held.bytes, -this.#held.frames);
    this.#held = { bytes: 0, frames: 0 };
    this.#host.ended(this);
  }
}

/** A SEND that changes nothing in the session. */
function isPlainSend(frame: Frame): boolean {
  return (
    frame.command === 'SEND' &&
    frame.header('receipt') === undefined &&
    frame.header('transaction') === undefined &&
    frame.header('destination')?.startsWith('/holdfast/') !== true
  );
}

/** Frames that the session keeps for as long as it lives. */
function keepsFrame(frame: Frame): boolean {
  return frame.command === 'SUBSCRIBE';
}

/** The frame on memory of its own: what came in is a view of a larger chunk, which would live as long as the frame. */
function detached(frame: Frame): Frame {
  return frameOf(frame.bytes.slice(), 'client', frame.version);
}
