/** One link of a relay, and what the session has said of it. */
import { Decoder, type DecoderLimits, type Frame, type Version } from '../../stomp/index.ts';
import type { Effect, LinkId } from '../session/index.ts';
import { compact } from './compact.ts';
import { Leg, type LegOptions } from './leg.ts';
import type { LinkSocket } from './ports.ts';

export interface UpstreamOptions {
  readonly link: LegOptions;
  readonly podLimits: Partial<DecoderLimits>;
}

/** Effects on a link that there is. */
export type LinkEffect = Exclude<Extract<Effect, { link: LinkId }>, { type: 'dial' | 'client-route' }>;

/** Those that concern nothing else. */
type LinkSetting = Exclude<LinkEffect, { type: 'send-link' | 'close-link' }>;

export class Upstream {
  readonly socket: LinkSocket;
  readonly leg: Leg;
  readonly decoder: Decoder;
  /** It is or was the primary: its messages are the client's, and it need not be read while the client is full. */
  isLive = false;
  /** Its MESSAGE frames go to the client as they came. */
  passes = false;

  /** @param version what client and pods agreed on; until then 1.2 */
  constructor(socket: LinkSocket, { link, podLimits }: UpstreamOptions, version: Version | undefined, now: number) {
    this.socket = socket;
    this.leg = new Leg(socket, link, now);
    this.decoder = new Decoder({ peer: 'server', limits: podLimits, version });
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
