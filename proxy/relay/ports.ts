/** What a relay wants of the links to pods; links/ makes them. */
import type { WholeFrame } from '../../websocket/index.ts';
import type { Pod } from '../discovery/index.ts';
import type { ChunkRules, LinkEnd } from '../session/index.ts';
import type { Socket } from './socket.ts';

/** What the client asked for, ready to be asked of any pod. */
export interface UpgradeTarget {
  /** Path and query, as the client sent them. */
  readonly path: string;
  /** STOMP sub-protocols that the client offered; a pod may answer with none of its own. */
  readonly protocols: readonly string[];
  /** Name, value, name, value …: cleaned and with the proxy's identity headers. */
  readonly headers: readonly string[];
  /** Stays the same for the client's session, whichever pod is asked. */
  readonly id: string;
}

export interface LinkHandlers {
  onOpen(): void;
  /** A WebSocket message in one frame that may be passed on as it is: `onMessage` does not follow when the answer is true. */
  onFrame(frame: WholeFrame): boolean;
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /** What was written has left us again, after the socket was full. */
  onDrain(): void;
  /** Once, whatever happened. */
  onEnd(end: LinkEnd): void;
}

export interface LinkSocket extends Socket {
  /** What the pod takes in one message, from now on; before it, anything. */
  takes(rules: ChunkRules): void;
}

/** Opens a WebSocket to a pod. Never calls a handler before it has returned. */
export interface Dial {
  dial(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket;
}
