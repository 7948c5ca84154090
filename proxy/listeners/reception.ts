/**
 * How a client becomes a session, whatever carries it: is there room, may its page connect, who is its user, then the greeting.
 * Clients on their way count as sessions, or they would be without bound.
 */
import type { IncomingMessage } from 'node:http';
import type { Decoder, DecoderLimits, Frame } from '../../stomp/index.ts';
import type { WholeFrame } from '../../websocket/index.ts';
import type { Identifier, KnownUser, OriginCheck, UpgradeRequest, Verdict } from '../identity/index.ts';
import type { Log } from '../log.ts';
import type { UpgradeTarget } from '../relay/ports.ts';
import type { Relay } from '../relay/relay.ts';
import type { Socket, SocketHandlers } from '../relay/socket.ts';
import type { Switchboard } from '../relay/switchboard.ts';
import type { Turnstile } from '../relay/turnstile.ts';
import { Greeting, type Hearer, type Refused } from './greeting.ts';
import type { Problem } from './refusal.ts';

/** Who wants to know of clients that did not become sessions. */
export interface DoorObserver {
  denied(reason: string): void;
  protocolError(code: string): void;
}

export interface ReceptionOptions {
  readonly limits: Partial<DecoderLimits>;
  readonly connectMaxMs: number;
}

export interface ReceptionParts {
  readonly board: Switchboard;
  readonly identifier: Identifier;
  readonly checkOrigin: OriginCheck;
  readonly observer: DoorObserver;
  readonly log: Log;
}

/** A client whose request has been judged. */
export interface Guest {
  readonly request: UpgradeRequest;
  readonly verdict: Verdict;
  /** Where its pods are asked, and for which sub-protocols. */
  readonly target: Pick<UpgradeTarget, 'path' | 'protocols'>;
  /** Sends a client home whose CONNECT has told who it is. @returns false: it is at home */
  readonly sendHome?: (user: KnownUser) => boolean;
}

/** RFC 6455 §7.4.1 and its registry. */
const TRY_AGAIN_LATER = 1013;

export const SHUTTING_DOWN = 'the proxy is shutting down; connect again';
const FULL = 'the proxy has as many sessions as it may have (limits.sessions)';
const TOO_MANY = 'has as many sessions as a user may have (limits.sessions-per-user)';

export class Reception {
  readonly #options: ReceptionOptions;
  readonly #parts: ReceptionParts;
  readonly #newcomers: Turnstile;
  /** By what carries the client: how to turn it away. */
  readonly #arriving = new Map<object, () => void>();
  #isOpen = true;

  /** @param newcomers has those whose CONNECT is waited for */
  constructor(options: ReceptionOptions, parts: ReceptionParts, newcomers: Turnstile) {
    this.#options = options;
    this.#parts = parts;
    this.#newcomers = newcomers;
  }

  /** No more clients; those that have a session stay. */
  close(): void {
    this.#isOpen = false;
    for (const turnAway of [...this.#arriving.values()]) turnAway();
  }

  /** Why no client at all could come in now. */
  full(): Problem | undefined {
    if (!this.#isOpen) return { status: 503, reason: SHUTTING_DOWN };
    if (!this.#parts.board.isFull(this.#arriving.size)) return undefined;
    return { status: 503, reason: FULL };
  }

  /** Why pages of this origin may not connect. */
  foreign(request: IncomingMessage): Problem | undefined {
    const reason = this.#parts.checkOrigin(request);
    return reason === undefined ? undefined : { status: 403, reason };
  }

  /** Who the user is, as far as the request tells; or why that is not to be. */
  async identify(request: UpgradeRequest): Promise<Exclude<Verdict, { kind: 'denied' }> | Problem> {
    try {
      const verdict = await this.#parts.identifier.atUpgrade(request);
      return verdict.kind === 'denied' ? verdict : (this.fullFor(verdict) ?? verdict);
    } catch (error) {
      this.#failed(error);
      return { status: 500, reason: 'the user could not be identified' };
    }
  }

  /** A client that comes back by another request: what it says of its user, and who that is where it says something new. */
  isSameUser(request: UpgradeRequest, of: { readonly request: UpgradeRequest; readonly user: string | undefined }) {
    const { identifier } = this.#parts;
    if (identifier.credentials(request) === identifier.credentials(of.request)) return Promise.resolve(true);
    return identifier.atUpgrade(request).then(
      (verdict) => verdict.kind === 'user' && verdict.user === of.user,
      (error: unknown) => {
        this.#failed(error);
        return false;
      },
    );
  }

  /** @param turnAway called when the reception closes before the client has left or has a session */
  arrives(carrier: object, turnAway: () => void): void {
    this.#arriving.set(carrier, turnAway);
  }

  leaves(carrier: object): void {
    this.#arriving.delete(carrier);
  }

  /**
   * From here on the client speaks STOMP.
   * @param connect makes the socket; its handlers may be called as soon as `greet` has returned
   * @param onUser called once when the client has a session
   */
  greet<T extends Socket>(
    carrier: object,
    guest: Guest,
    connect: (handlers: SocketHandlers) => T,
    onUser: (user: string) => void = () => {},
  ): T {
    const ear = new Ear(this.#turnedAway);
    const socket = connect(ear);
    const greeting = new Greeting(socket, guest.verdict, this.#options, {
      newcomers: this.#newcomers,
      identify: (frame) => this.#parts.identifier.atConnect(guest.request, frame),
      failed: (error) => this.#failed(error),
      open: (user, frame, binary, decoder) => {
        if (guest.sendHome?.(user)) return 'elsewhere';
        onUser(user.user);
        return this.#open(user, guest, frame, binary, socket, decoder);
      },
      refused: (reason, detail) => this.#turnedAway(reason, detail),
      over: (relay) => {
        this.leaves(carrier);
        ear.hearer = relay ?? ear.hearer;
      },
    });
    ear.hearer = greeting;
    this.arrives(carrier, () => greeting.shutdown());
    return socket;
  }

  /** Counts and logs a request that is refused. */
  refused({ status, reason }: Problem): void {
    const { observer, log } = this.#parts;
    if (status === 401 || status === 403) observer.denied(status === 401 ? 'unauthorized' : 'forbidden');
    log.info({ status, reason }, 'upgrade refused');
  }

  /** Why not one more of this user could come in now. */
  fullFor(verdict: Verdict): Problem | undefined {
    if (verdict.kind !== 'user' || !this.#parts.board.isFullFor(verdict.user)) return undefined;
    return { status: 429, reason: `this user ${TOO_MANY}` };
  }

  #open(
    user: KnownUser,
    { request, target }: Guest,
    connect: Frame,
    binary: boolean,
    socket: Socket,
    decoder: Decoder,
  ): Relay | Refused {
    const { board, identifier } = this.#parts;
    // Whoever has come by the door was counted there; a client that another process has let in was not.
    if (board.isFull(0)) return { refused: `There is no room: ${FULL}.`, code: TRY_AGAIN_LATER };
    if (board.isFullFor(user.user)) {
      return { refused: `This user ${TOO_MANY}.`, code: TRY_AGAIN_LATER };
    }
    return board.open({
      ...{ user: user.user, ringKey: user.ringKey, connect, binary, socket, decoder },
      target: { ...target, headers: identifier.upstreamHeaders(request, user.user) },
      own: identifier.connectHeaders(user.user),
    });
  }

  readonly #turnedAway = (reason: string, detail: string): void => {
    const { observer, log } = this.#parts;
    if (reason === 'denied' || reason === 'identity') observer.denied(reason);
    else observer.protocolError(reason);
    log.info({ reason, detail }, 'client turned away');
  };

  #failed(error: unknown): void {
    this.#parts.log.error({ error: String(error) }, 'a user could not be identified');
  }
}

/** Passes what the socket tells to whoever hears the client now. It lives as long as the socket, and keeps nothing else. */
class Ear implements SocketHandlers {
  hearer: Hearer | undefined;
  readonly #turnedAway: (reason: string, detail: string) => void;

  constructor(turnedAway: (reason: string, detail: string) => void) {
    this.#turnedAway = turnedAway;
  }

  onFrame(frame: WholeFrame): boolean {
    return this.hearer?.passClientFrame(frame) === true;
  }

  onMessage(bytes: Uint8Array, binary: boolean): void {
    this.hearer?.clientMessage(bytes, binary);
  }

  onClose(code: number, reason: string, fault?: string): void {
    if (fault !== undefined) this.#turnedAway(fault, reason);
    this.hearer?.clientClosed(code);
  }

  onDrain(): void {
    this.hearer?.clientDrained();
  }
}
