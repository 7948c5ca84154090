/** A connection that has not said yet what it wants. */
import type { Socket } from 'node:net';
import type { Passer, Turnstile } from '../relay/turnstile.ts';

export class Arrival implements Passer {
  readonly #socket: Socket;
  readonly #turnstile: Turnstile;
  readonly #over = () => this.over();

  constructor(socket: Socket, turnstile: Turnstile) {
    this.#socket = socket;
    this.#turnstile = turnstile;
    turnstile.join(this);
    socket.on('close', this.#over);
  }

  hold(held: boolean): void {
    if (held) this.#socket.pause();
    else this.#socket.resume();
  }

  /** It has said it, or has left. */
  over(): void {
    this.#socket.off('close', this.#over);
    this.#turnstile.leave(this);
  }
}
