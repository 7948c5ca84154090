/**
 * From an open WebSocket to a session: the first frame must be CONNECT, in time, and must say who the user is where the
 * upgrade did not. Nothing of the client reaches a pod before that.
 */
import { Decoder, type DecoderLimits, encode, type Frame } from '../../stomp/index.ts';
import type { KnownUser, Verdict } from '../identity/index.ts';
import type { Relay } from '../relay/relay.ts';
import type { Socket } from '../relay/socket.ts';
import type { Passer, Turnstile } from '../relay/turnstile.ts';

/** Why a session cannot be opened: in words, and the close code. */
export interface Refused {
  readonly refused: string;
  readonly code: number;
}

export interface GreetingHost {
  /** Of those whose CONNECT is waited for. */
  readonly newcomers: Turnstile;
  /** Who the user is, now that CONNECT is here. */
  identify(frame: Frame): Promise<Verdict>;
  /** Who the user is could not even be asked. */
  failed(error: unknown): void;
  /** The session, whose relay goes on with the decoder; or why none can be opened; or another process has the client now. */
  open(user: KnownUser, connect: Frame, binary: boolean, decoder: Decoder): Relay | Refused | 'elsewhere';
  /** The client was turned away before it had a session. */
  refused(reason: string, detail: string): void;
  /**
   * The greeting is over: with a session, a refusal, or because the client left. Once.
   * @param relay of the session: it hears the client from now on
   */
  over(relay: Relay | undefined): void;
}

export interface GreetingOptions {
  readonly limits: Partial<DecoderLimits>;
  readonly connectMaxMs: number;
}

/** RFC 6455 §7.4.1 and its registry. */
const PROTOCOL_ERROR = 1002;
const POLICY_VIOLATION = 1008;
const SERVICE_RESTART = 1012;

/** Who hears what the client's socket tells: the greeting, then the session's relay. */
export type Hearer = Pick<Relay, 'passClientFrame' | 'clientMessage' | 'clientClosed' | 'clientDrained'>;

export class Greeting implements Hearer, Passer {
  readonly #socket: Socket;
  readonly #host: GreetingHost;
  readonly #decoder: Decoder;
  readonly #known: KnownUser | undefined;
  readonly #timer: NodeJS.Timeout;
  #state: 'waiting' | 'identifying' | 'done' = 'waiting';
  /** Frames that came in one message with CONNECT. */
  #more: Frame[] = [];
  /** Messages that came while the user was being identified. Reading is stopped then, so these are of one read. */
  #early: { bytes: Uint8Array; binary: boolean }[] = [];

  /** @param verdict the user, if the upgrade has told already */
  constructor(socket: Socket, verdict: Verdict, options: GreetingOptions, host: GreetingHost) {
    this.#socket = socket;
    this.#host = host;
    this.#known = verdict.kind === 'user' ? verdict : undefined;
    this.#decoder = new Decoder({ peer: 'client', limits: options.limits });
    const late = `CONNECT is expected within ${options.connectMaxMs} ms of opening the WebSocket.`;
    this.#timer = setTimeout(
      () => this.#refuse('no-connect', 'no CONNECT', late, PROTOCOL_ERROR),
      options.connectMaxMs,
    );
    host.newcomers.join(this);
  }

  hold(held: boolean): void {
    this.#socket.pause('newcomers wait', held);
  }

  clientMessage(bytes: Uint8Array, binary: boolean): void {
    if (this.#state === 'identifying') this.#early.push({ bytes, binary });
    else if (this.#state === 'waiting') {
      this.#first(bytes, binary);
      this.#host.newcomers.dealt();
    }
  }

  /** Before there is a session nothing of the client goes on. */
  passClientFrame(): boolean {
    return false;
  }

  clientClosed(): void {
    this.#end();
  }

  /** Nothing is held back for a client that has no session. */
  clientDrained(): void {}

  /** The proxy stops: a client that has no session yet is sent away as those that have one. */
  shutdown(): void {
    this.#refuse('shutdown', 'service restart', 'The proxy is shutting down. Connect again.', SERVICE_RESTART);
  }

  #first(bytes: Uint8Array, binary: boolean): void {
    const [first, ...more] = this.#decoder.push(bytes).filter((item) => item !== 'beat');
    if (first === undefined) {
      const { error } = this.#decoder;
      if (error !== undefined) this.#refuse(error.code, error.code, error.message, PROTOCOL_ERROR);
      return;
    }
    if (first.command !== 'CONNECT' && first.command !== 'STOMP') {
      const detail = `The first frame must be CONNECT or STOMP, not ${first.command}.`;
      return this.#refuse('not-connected', 'not connected', detail, PROTOCOL_ERROR);
    }
    this.#more = more;
    this.#identify(first, binary);
  }

  #identify(connect: Frame, binary: boolean): void {
    clearTimeout(this.#timer);
    if (this.#known !== undefined) return this.#open(this.#known, connect, binary);
    this.#state = 'identifying';
    this.#socket.pause('identifying', true);
    this.#host.identify(connect).then(
      (verdict) => this.#judge(verdict, connect, binary),
      (error: unknown) => {
        // What failed is our own affair and stays in the log.
        this.#host.failed(error);
        this.#refuse('identity', 'not allowed', 'The user could not be identified.', POLICY_VIOLATION);
      },
    );
  }

  #judge(verdict: Verdict, connect: Frame, binary: boolean): void {
    if (this.#state === 'done') return;
    this.#socket.pause('identifying', false);
    if (verdict.kind === 'user') return this.#open(verdict, connect, binary);
    const detail = verdict.kind === 'denied' ? verdict.reason : 'nothing in CONNECT says who the user is';
    this.#refuse('denied', 'not allowed', detail, POLICY_VIOLATION);
  }

  #open(user: KnownUser, connect: Frame, binary: boolean): void {
    const opened = this.#host.open(user, connect, binary, this.#decoder);
    if (opened === 'elsewhere') return this.#end();
    if ('refused' in opened) return this.#refuse('limit', 'too many sessions', opened.refused, opened.code);
    this.#end(opened);
    opened.clientFrames(this.#more, binary);
    for (const { bytes, binary: isBinary } of this.#early) opened.clientMessage(bytes, isBinary);
  }

  #refuse(reason: string, message: string, detail: string, code: number): void {
    if (this.#state === 'done') return;
    this.#end();
    this.#host.refused(reason, detail);
    this.#socket.send(encode('ERROR', { message, 'content-type': 'text/plain' }, detail), false);
    this.#socket.close(code, message);
  }

  #end(relay?: Relay): void {
    clearTimeout(this.#timer);
    this.#host.newcomers.leave(this);
    if (this.#state !== 'done') this.#host.over(relay);
    this.#state = 'done';
  }
}
