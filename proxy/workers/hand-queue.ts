/**
 * Connections on their way to another process. Node passes them one after the other, each when the one before has arrived, so they
 * queue where the other side is busy: in bounds.
 */
import type { Socket } from 'node:net';
import { stopReading } from './stop-reading.ts';

/** As many as the system holds for a listening socket: a wave that comes back after a restart. */
export const HANDS_MAX = 4096;

/** @param done to be called when the connection has left this process, or with why it could not */
export type Send<Message> = (message: Message, socket: Socket, done: (error: Error | null) => void) => void;

export class HandQueue<Message> {
  readonly #send: Send<Message>;
  readonly #waiting = new Set<Socket>();

  constructor(send: Send<Message>) {
    this.#send = send;
  }

  /** Nothing more is read of the connection here. One that finds no room is cut: its client comes back. */
  pass(message: Message, socket: Socket): void {
    stopReading(socket);
    if (this.#waiting.size >= HANDS_MAX) return void socket.destroy();
    this.#waiting.add(socket);
    this.#send(message, socket, (error) => {
      this.#waiting.delete(socket);
      // Else it would stay open here, where nobody reads it.
      if (error) socket.destroy();
    });
  }

  /** The other side is gone: nobody else would close what is still here. */
  cut(): void {
    for (const socket of this.#waiting) socket.destroy();
    this.#waiting.clear();
  }
}
