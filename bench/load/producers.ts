/** Producers in another language: each posts a message over a connection of its own and, when it is answered, the next. */
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clockMs } from './clock.ts';
import { HttpSplitter } from './http-splitter.ts';
import { BODY_BYTES } from './numbered.ts';

export interface ProducersCalls {
  /** `path` with {user}. Resolves when a first message was answered. */
  start(what: { readonly address: string; readonly path: string; readonly producers: number }): Promise<void>;
  /** Ends a span, not before a message was answered in it, and begins the next. */
  mark(nothing: null): Promise<{ readonly ms: number; readonly taken: number }>;
  /** No more messages. Resolves when all are answered. @returns in all */
  stop(nothing: null): Promise<Posted>;
}

export interface Posted {
  readonly taken: number;
  /** With another status than 200. */
  readonly refused: number;
}

/** Each message is for another one. */
const USERS = 1_000;
const BODY = 'x'.repeat(BODY_BYTES);

export class Producers implements ProducersCalls {
  #sinceMs = clockMs();
  #taken = 0;
  #refused = 0;
  #before: Posted = { taken: 0, refused: 0 };
  #next = 0;
  #isOver = false;
  #open = 0;
  readonly #ended = Promise.withResolvers<void>();
  readonly #answers = new EventEmitter();

  constructor() {
    this.#ended.promise.catch(() => {}); // whoever stops hears of it
  }

  async start({ address, path, producers }: { address: string; path: string; producers: number }): Promise<void> {
    const [host, port] = address.split(':');
    this.#open = producers;
    for (let i = 0; i < producers; i++) {
      const socket = connect({ host, port: Number(port), noDelay: true }, () => this.#post(socket, path));
      const splitter = new HttpSplitter((head) => {
        if (head.startsWith('HTTP/1.1 200 ')) this.#taken += 1;
        else this.#refused += 1;
        this.#answers.emit('answer');
        this.#post(socket, path);
      });
      socket.on('data', (chunk: Buffer) => splitter.push(chunk));
      socket.on('error', (error) => this.#ended.reject(error));
      socket.on('close', () => this.#closed());
    }
    await this.#nextAnswer();
  }

  async mark(): Promise<{ ms: number; taken: number }> {
    const { taken, refused } = this.#before;
    if (this.#taken + this.#refused === taken + refused) await this.#nextAnswer();
    const now = clockMs();
    const span = { ms: now - this.#sinceMs, taken: this.#taken - taken };
    this.#sinceMs = now;
    this.#before = { taken: this.#taken, refused: this.#refused };
    return span;
  }

  async stop(): Promise<Posted> {
    this.#isOver = true;
    await this.#ended.promise;
    return { taken: this.#taken, refused: this.#refused };
  }

  /** Rejects if there will be none, as a connection has failed. */
  #nextAnswer(): Promise<unknown> {
    return Promise.race([once(this.#answers, 'answer'), this.#ended.promise]);
  }

  #closed(): void {
    if (!this.#isOver) this.#ended.reject(new Error('a connection was closed in the middle'));
    if (--this.#open === 0) this.#ended.resolve();
  }

  #post(socket: Socket, path: string): void {
    if (this.#isOver) return void socket.end();
    const target = path.replace('{user}', `user-${this.#next++ % USERS}`);
    socket.write(
      `POST ${target} HTTP/1.1\r\nhost: bench\r\ncontent-type: text/plain\r\ncontent-length: ${BODY_BYTES}\r\n\r\n${BODY}`,
    );
  }
}
