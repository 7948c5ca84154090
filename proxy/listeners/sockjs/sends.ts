/**
 * What a client sends beside its receiver: one xhr_send after the other. A body is not read while the client is not to be read,
 * and is answered when all of it was taken, so a client that waits for its answers feels the back-pressure.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { BrokenArray, StringArrayReader } from '../../sockjs/index.ts';
import { answer } from './answers.ts';

export interface SendsHandlers {
  onMessage(text: string): void;
  /**
   * A body broke off or was no SockJS: what the client has said is no longer known.
   * @param fault set when the client broke the protocol; names the rule
   */
  onBroken(reason: string, fault?: string): void;
}

/** sockjs-client has one under way, and other clients need no more than a few. */
export const SENDS_WAITING_MAX = 16;

export class Sends {
  readonly #maxChars: number;
  readonly #handlers: SendsHandlers;
  readonly #waiting: Send[] = [];
  #current: Send | undefined;
  #isPaused = false;
  #isOver = false;

  /** @param maxChars of one message, as JSON */
  constructor(maxChars: number, handlers: SendsHandlers) {
    this.#maxChars = maxChars;
    this.#handlers = handlers;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isOver) return answer(request, response, 204, '');
    if (this.#waiting.length >= SENDS_WAITING_MAX) {
      return answer(request, response, 429, `more than ${SENDS_WAITING_MAX} xhr_send of one session are waiting`);
    }
    const send = new Send(request, response, this.#maxChars, {
      onMessage: (text) => this.#handlers.onMessage(text),
      onDone: (broken, fault) => this.#done(send, broken, fault),
    });
    this.#waiting.push(send);
    this.#next();
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#current?.pause(isPaused);
    this.#next();
  }

  /** Nothing that comes is of interest any more, as after a close frame. */
  end(): void {
    this.#isOver = true;
    for (const send of [...this.#waiting]) send.drop();
    this.#current?.drop();
  }

  #next(): void {
    if (this.#isPaused || this.#isOver || this.#current !== undefined) return;
    this.#current = this.#waiting.shift();
    this.#current?.start();
  }

  #done(send: Send, broken: string | undefined, fault: string | undefined): void {
    if (send === this.#current) this.#current = undefined;
    if (broken === undefined) this.#next();
    else this.#handlers.onBroken(broken, fault);
  }
}

interface SendHandlers {
  onMessage(text: string): void;
  /** Once. @param broken why the session cannot go on */
  onDone(broken?: string, fault?: string): void;
}

/** One xhr_send. */
class Send {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #handlers: SendHandlers;
  readonly #reader: StringArrayReader;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #isDone = false;

  constructor(request: IncomingMessage, response: ServerResponse, maxChars: number, handlers: SendHandlers) {
    this.#request = request;
    this.#response = response;
    this.#handlers = handlers;
    this.#reader = new StringArrayReader(maxChars);
    response.once('close', () => this.#brokeOff());
  }

  start(): void {
    this.#request.on('data', (chunk: Buffer) => {
      for (const message of this.#read(chunk)) this.#handlers.onMessage(message);
    });
    this.#request.once('end', () => this.#end());
  }

  pause(isPaused: boolean): void {
    if (isPaused) this.#request.pause();
    else this.#request.resume();
  }

  /** Answers as if all of it had been taken. */
  drop(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    answer(this.#request, this.#response, 204, '');
  }

  #read(chunk: Buffer): string[] {
    return this.#isDone
      ? []
      : (this.#checked(() => this.#reader.push(this.#utf8.decode(chunk, { stream: true }))) ?? []);
  }

  #end(): void {
    if (this.#isDone) return;
    this.#checked(() => {
      this.#reader.push(this.#utf8.decode());
      this.#reader.end();
    });
    if (this.#isDone) return;
    this.drop();
    this.#handlers.onDone();
  }

  /** What `read` gives; undefined when the body was refused. */
  #checked<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#refuse(error instanceof BrokenArray ? error : new BrokenArray('Broken UTF-8 encoding.'));
      return undefined;
    }
  }

  /** Messages before the fault may have gone to the session already, so it ends; an empty body has done no harm. */
  #refuse(error: BrokenArray): void {
    this.#isDone = true;
    answer(this.#request, this.#response, 500, error.message);
    if (error.isEmpty) this.#handlers.onDone();
    else this.#handlers.onDone(error.message, 'broken-framing');
  }

  #brokeOff(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#handlers.onDone('an xhr_send broke off');
  }
}
