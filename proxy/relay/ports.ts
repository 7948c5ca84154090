/** What a relay wants of the links to pods; links/ makes them. */
import type { Pod } from '../discovery/index.ts';
import type { ChunkRules, LinkEnd } from '../session/index.ts';
import type { Socket, SocketHandlers } from './socket.ts';

/** What the client asked for, ready to be asked of any pod. One is one client's session, and goes with it. */
export interface UpgradeTarget {
  /** Path and query, as the client sent them. */
  readonly path: string;
  /** STOMP sub-protocols that the client offered; a pod may answer with none of its own. */
  readonly protocols: readonly string[];
  /** Name, value, name, value …: cleaned and with the proxy's identity headers. */
  readonly headers: readonly string[];
}

/** Either `onClose` or `onFailed` is called at the end, once, whatever happened. */
export interface LinkHandlers extends SocketHandlers {
  onOpen(): void;
  /** It never was open. */
  onFailed(end: LinkEnd): void;
}

export interface LinkSocket extends Socket {
  /** What the pod takes in one message, from now on; before it, anything. */
  takes(rules: ChunkRules): void;
}

/** Opens a WebSocket to a pod. Never calls a handler before it has returned. */
export interface Dial {
  dial(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket;
}
