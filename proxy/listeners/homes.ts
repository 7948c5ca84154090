/**
 * Where the sessions of a user live, when several processes serve one port.
 *
 * A message goes to one pod, so all sessions of a user must agree on one, so they live in one process: the user's home. Whoever
 * accepts a client learns who it is and hands the connection home if that is elsewhere, with what was read of it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { KnownUser, UpgradeRequest } from '../identity/index.ts';

/** A client on its way home. Plain data, but for its socket. */
export interface HandedOver {
  readonly user: KnownUser;
  readonly request: UpgradeRequest;
  /** What the client has said since its request. */
  readonly bytes: Uint8Array;
  /** Whether the upgrade was answered: the bytes are WebSocket frames, and CONNECT is among them. */
  readonly isAnswered: boolean;
}

export interface Homes {
  isHere(user: string): boolean;
  /** The socket is no longer ours when this has returned. */
  handOver(client: HandedOver, socket: Duplex): void;
  /**
   * Passes a whole HTTP request to the home of a name: of a user, or of a SockJS session, whose requests come by any connection.
   * @returns false: it is to be answered here
   */
  forward(name: string, request: IncomingMessage, response: ServerResponse): boolean;
  /** Whether another process has the connection of the request: it counts the answer. */
  isPassedOn(request: IncomingMessage): boolean;
}

/** One process that serves alone. */
export const AT_HOME: Homes = {
  isHere: () => true,
  handOver: () => {},
  forward: () => false,
  isPassedOn: () => false,
};

/**
 * What a client says until its user is known, so that it can be said again at home.
 * To be made before whoever reads the socket.
 */
export class Recording {
  readonly #chunks: Buffer[] = [];
  readonly #socket: Duplex;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #listen = (chunk: Buffer) => {
    this.#bytes += chunk.length;
    // A copy: whoever reads frames takes their mask off where they lie.
    if (this.#bytes <= this.#maxBytes) this.#chunks.push(Buffer.from(chunk));
    else this.#socket.destroy();
  };

  /** @param maxBytes a client that has said more before it is known is cut */
  constructor(socket: Duplex, maxBytes: number) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    socket.on('data', this.#listen);
  }

  stop(): void {
    this.#socket.off('data', this.#listen);
    this.#chunks.length = 0;
  }

  /** All of it, with what was read and not yet given to anybody. The socket must be paused; nobody who listens hears any more. */
  take(): Buffer {
    this.#socket.removeAllListeners('data');
    return Buffer.concat([...this.#chunks, unread(this.#socket)]);
  }
}

/** What the stream has read from the system and nobody has taken. */
export function unread(socket: Duplex): Buffer {
  return (socket.read() as Buffer | null) ?? Buffer.alloc(0);
}
