/**
 * One WebSocket that speaks STOMP:
 *
 *     fresh ──CONNECT──▶ greeting ──CONNECTED──▶ talking ──▶ over
 *
 * Here stand the handshake, the heart-beats, the bound of what may wait for a slow client, and how a session ends: by
 * DISCONNECT (1000), by an ERROR (1002, as Spring closes), because the client is too slow (4500, as Spring), or because
 * the pod ends (the shutdown's close code). What frames do in between stands in conversation.ts.
 */
import { randomUUID } from 'node:crypto';
import { Beats, Decoder, encode, type Frame, HEARTBEAT, type Version } from '../stomp/index.ts';
import { Conversation, type Line } from './conversation.ts';
import { agree, type Terms } from './handshake.ts';
import { sayable } from './message-frame.ts';
import type { Pod } from './pod.ts';
import { Refusal } from './refusal.ts';

/** The WebSocket, as far as a session needs it. */
export interface SessionSocket {
  /** One WebSocket message. */
  send(bytes: Uint8Array): void;
  /** Octets that were sent but not yet taken by the network. */
  readonly bufferedBytes: number;
  /** Stops and goes on reading. */
  pause(): void;
  resume(): void;
  /** Closes; cuts the connection when the peer does not answer in time. */
  close(code: number, reason: string): void;
}

export const GOODBYE = 1000;
export const PROTOCOL_ERROR = 1002;
const INTERNAL_ERROR = 1011;
/** Spring's SESSION_NOT_RELIABLE. */
export const TOO_SLOW = 4500;

export class Session implements Line {
  readonly #id = randomUUID();
  readonly #pod: Pod;
  readonly #socket: SessionSocket;
  readonly #decoder: Decoder;
  readonly #httpUser: string | undefined;
  #user: string | undefined;
  #version: Version = '1.2';
  #state: 'fresh' | 'greeting' | 'talking' | 'over' = 'fresh';
  #conversation: Conversation | undefined;
  #beats: Beats | undefined;
  /** The connect timeout, then the delay of CONNECTED, then the next heart-beat: never two at a time. */
  #timer: NodeJS.Timeout;
  #dropTimer: NodeJS.Timeout | undefined;
  /** Came before a delayed CONNECTED was out; bounded by the few chunks that a paused reader still gets. */
  readonly #early: Frame[] = [];

  /** `httpUser`: whom the upgrade request named. */
  constructor(pod: Pod, socket: SessionSocket, httpUser: string | undefined) {
    this.#pod = pod;
    this.#socket = socket;
    this.#httpUser = httpUser;
    this.#decoder = new Decoder({ peer: 'client', limits: pod.settings.limits });
    const waitMs = pod.settings.connectTimeoutMs;
    this.#timer = setTimeout(() => this.fail('no CONNECT', `No CONNECT came within ${waitMs} ms.`), waitMs);
  }

  /** Whether CONNECTED was sent and the session has not ended since. */
  get connected(): boolean {
    return this.#state === 'talking';
  }

  /** Whether this is the link of a producer and no client's session. */
  get isService(): boolean {
    return this.#user !== undefined && this.#pod.settings.serviceUsers.includes(this.#user);
  }

  /** Octets came in. */
  receive(chunk: Uint8Array): void {
    if (this.#state === 'over') return;
    this.#beats?.received(performance.now());
    for (const found of this.#decoder.push(chunk)) if (found !== 'beat') this.#frame(found);
    const error = this.#decoder.error;
    if (error !== undefined) this.fail(error.code, error.message);
  }

  /** The WebSocket is gone. */
  closed(): void {
    this.#over();
  }

  /** Ends the session with this close code and without a word more. */
  end(code: number, reason: string): void {
    if (this.#state === 'over') return;
    this.#over();
    this.#socket.close(code, reason);
  }

  fail(message: string, detail: string): void {
    this.#refuse(new Refusal(message, detail), undefined);
  }

  goodbye(): void {
    this.end(GOODBYE, '');
  }

  send(bytes: Uint8Array): boolean {
    if (this.#state === 'over') return false;
    const waiting = this.#socket.bufferedBytes + bytes.length;
    if (waiting > this.#pod.settings.maxBufferedBytes) {
      this.#pod.settings.log.warn(
        { session: this.#id, waitingBytes: waiting },
        'session closed: its client is too slow',
      );
      this.end(TOO_SLOW, 'too slow');
      return false;
    }
    this.#socket.send(bytes);
    this.#beats?.sent(performance.now());
    return true;
  }

  attempt(frame: Frame, task: () => void): void {
    try {
      task();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refuse(error, frame.header('receipt'));
    }
  }

  #frame(frame: Frame): void {
    if (this.#state === 'fresh') this.attempt(frame, () => this.#greet(agree(frame, this.#pod.settings.heartBeatMs)));
    else if (this.#state === 'greeting') this.#early.push(frame);
    else if (this.#state === 'talking') this.attempt(frame, () => this.#conversation?.handle(frame));
  }

  #greet(terms: Terms): void {
    if (this.#pod.faults.plan.refuseConnect) {
      throw new Refusal('planted refusal', '--refuse-connect: this backend answers every CONNECT so.');
    }
    this.#state = 'greeting';
    this.#version = terms.version;
    this.#decoder.version = terms.version;
    this.#user = this.#httpUser ?? terms.login;
    clearTimeout(this.#timer);
    const waitMs = this.#pod.faults.plan.connectDelayMs;
    if (waitMs === 0) return this.#connect(terms);
    this.#socket.pause();
    this.#timer = setTimeout(() => {
      this.#socket.resume();
      this.#connect(terms);
    }, waitMs);
  }

  #connect({ version, sendEveryMs, expectEveryMs }: Terms): void {
    this.#state = 'talking';
    this.#conversation = new Conversation(this.#pod, this, version, this.#user);
    this.#beats = new Beats({ sendEveryMs, expectEveryMs }, performance.now());
    this.send(
      encode('CONNECTED', {
        version,
        server: this.#pod.server,
        session: this.#id,
        'heart-beat': `${sendEveryMs},${expectEveryMs}`,
        'user-name': this.#user,
      }),
    );
    this.#pod.settings.log.debug({ session: this.#id, version }, 'session connected');
    this.#dropLater(this.#pod.faults.plan.dropAfterMs);
    this.#waitForBeat();
    for (const frame of this.#early.splice(0)) this.#frame(frame);
  }

  #dropLater(afterMs: number): void {
    if (afterMs > 0) this.#dropTimer = setTimeout(() => this.end(INTERNAL_ERROR, '--drop-after'), afterMs);
  }

  #waitForBeat(): void {
    const deadline = this.#beats?.nextDeadline() ?? Infinity;
    if (deadline === Infinity || this.#state === 'over') return;
    this.#timer = setTimeout(() => this.#beat(), Math.ceil(deadline - performance.now()));
  }

  #beat(): void {
    const now = performance.now();
    if (this.#beats?.silent(now)) return this.fail('heart-beat missed', 'Nothing came for two heart-beat intervals.');
    if (this.#beats?.due(now)) this.send(HEARTBEAT);
    this.#waitForBeat();
  }

  #refuse({ message, detail, headers }: Refusal, receipt: string | undefined): void {
    if (this.#state === 'over') return;
    this.#pod.settings.log.info({ session: this.#id, error: message }, 'session refused');
    const echoed = receipt !== undefined && sayable('receipt-id', receipt, this.#version) ? receipt : undefined;
    const all = { message, 'receipt-id': echoed, ...headers, 'content-type': 'text/plain' };
    this.send(encode('ERROR', all, `${detail}\n`, this.#version));
    this.end(PROTOCOL_ERROR, message);
  }

  #over(): void {
    this.#state = 'over';
    clearTimeout(this.#timer);
    clearTimeout(this.#dropTimer);
    this.#early.length = 0;
    this.#conversation?.end();
  }
}
