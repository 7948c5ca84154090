/** One link of a relay, and what the session has said of it. */
import { Decoder, type DecoderLimits, type Frame, type Version } from '../../stomp/index.ts';
import type { WholeFrame } from '../../websocket/index.ts';
import type { Effect, LinkEnd, LinkId } from '../session/index.ts';
import { compact } from './compact.ts';
import { Leg, type LegOptions } from './leg.ts';
import type { LinkHandlers, LinkSocket } from './ports.ts';

export interface UpstreamOptions {
  readonly link: LegOptions;
  readonly podLimits: Partial<DecoderLimits>;
}

/** Effects on a link that there is. */
export type LinkEffect = Exclude<Extract<Effect, { link: LinkId }>, { type: 'dial' | 'client-route' }>;

/** Those that concern nothing else. */
type LinkSetting = Exclude<LinkEffect, { type: 'send-link' | 'close-link' }>;

/** Who is told what links bring. */
export interface LinkHearer {
  linkOpened(link: Upstream): void;
  /** @returns where the first frame begins that has to be looked at */
  passLinkFrames(link: Upstream, octets: Uint8Array, from: number, end: number, readAtMs: number): number;
  /** @returns whether nothing is left to be done; else it is a message like any other */
  passLinkFrame(link: Upstream, frame: WholeFrame): boolean;
  linkMessage(link: Upstream, bytes: Uint8Array, binary: boolean): void;
  linkDrained(): void;
  linkEnded(link: Upstream, end: LinkEnd): void;
}

export class Upstream implements LinkHandlers {
  readonly id: LinkId;
  readonly #hearer: LinkHearer;
  readonly socket: LinkSocket;
  readonly leg: Leg;
  readonly decoder: Decoder;
  /** It is or was the primary: its messages are the client's, and it need not be read while the client is full. */
  isLive = false;
  /** Its MESSAGE frames go to the client as they came. */
  passes = false;

  /**
   * @param dial calls no handler before it has returned
   * @param version what client and pods agreed on; until then 1.2
   */
  constructor(
    id: LinkId,
    hearer: LinkHearer,
    dial: (handlers: LinkHandlers) => LinkSocket,
    { link, podLimits }: UpstreamOptions,
    version: Version | undefined,
    now: number,
  ) {
    this.id = id;
    this.#hearer = hearer;
    this.socket = dial(this);
    this.leg = new Leg(this.socket, link, now);
    this.decoder = new Decoder({ peer: 'server', limits: podLimits, version });
  }

  onOpen(): void {
    this.#hearer.linkOpened(this);
  }

  onFrames(octets: Uint8Array, from: number, end: number, readAtMs: number): number {
    return this.#hearer.passLinkFrames(this, octets, from, end, readAtMs);
  }

  onFrame(frame: WholeFrame): boolean {
    return this.#hearer.passLinkFrame(this, frame);
  }

  onMessage(bytes: Uint8Array, binary: boolean): void {
    this.#hearer.linkMessage(this, bytes, binary);
  }

  onDrain(): void {
    this.#hearer.linkDrained();
  }

  onClose(code: number, reason: string): void {
    this.#hearer.linkEnded(this, { kind: 'closed', code, reason });
  }

  onFailed(end: LinkEnd): void {
    this.#hearer.linkEnded(this, end);
  }

  /** The frames in a message of the pod. What does not pass may be held, so it is on memory of its own. */
  read(bytes: Uint8Array): (Frame | 'beat')[] {
    return this.decoder.push(this.passes ? bytes : compact(bytes));
  }

  set(effect: LinkSetting, now: number): void {
    switch (effect.type) {
      case 'link-beats':
        return this.leg.setBeats(effect.sendEveryMs, effect.expectEveryMs, now);
      case 'link-takes':
        return this.socket.takes(effect.rules);
      case 'link-route':
        this.passes = effect.route === 'pass';
        return;
      case 'pause-link':
        return this.socket.pause('hold is full', effect.paused);
    }
  }
}
