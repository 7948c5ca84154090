/** What goes into a relay, and what it needs from the rest of the proxy. */
import type { Decoder, DecoderLimits, Frame } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import type { Fact, OwnHeaders, SessionOptions } from '../session/index.ts';
import type { LegOptions } from './leg.ts';
import type { LinkHandlers, LinkSocket } from './ports.ts';
import type { Socket } from './socket.ts';

/** The rest of the proxy, as one relay sees it. */
export interface RelayHost {
  now(): number;
  dial(pod: Pod, handlers: LinkHandlers): LinkSocket;
  /** The session wants a link; answered by `Relay.granted`, never from within this call. */
  requestLink(cause: 'open' | 'recovery', attempt: number): void;
  /** The session's primary link is at another pod, or (undefined) it has none. */
  movedTo(pod: Pod | undefined): void;
  fact(fact: Fact): void;
  forwarded(direction: 'to-client' | 'to-pod', frames: number): void;
  /** What the session holds has changed by so much. */
  held(bytes: number, frames: number): void;
  /** All sessions together hold more than they may. */
  readonly isBudgetSpent: boolean;
  ended(): void;
  /** The session was ended by a mistake of ours. */
  failed(error: unknown): void;
}

/** A client whose user is known and whose CONNECT is here. */
export interface RelayClient {
  readonly user: string;
  readonly connect: Frame;
  /** Whether CONNECT came as a binary message. */
  readonly binary: boolean;
  readonly socket: Socket;
  /** What every pod is told of the user in CONNECT. */
  readonly own: OwnHeaders;
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
  /** Links are SockJS: a frame that is no UTF-8 ends its client's session with ERROR. */
  readonly podsTakeTextOnly: boolean;
}
