/** One open watch on the fake API server, and what can be done to it. */
import type { ServerResponse } from 'node:http';
import { statusObject } from './answers.ts';
import type { HistoryEvent } from './slice-history.ts';

export class WatchStream {
  readonly query: URLSearchParams;
  readonly #response: ServerResponse;
  readonly #chunkBytes: number;
  #writing: Promise<void> = Promise.resolve();
  /** Silent or ended: nothing more is written. */
  #mute = false;

  /** @param chunkBytes lines are written in pieces of this size, each in its own TLS record; 0 writes them whole */
  constructor(response: ServerResponse, query: URLSearchParams, chunkBytes: number) {
    this.#response = response;
    this.query = query;
    this.#chunkBytes = chunkBytes;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
    response.flushHeaders();
  }

  send({ type, object }: Pick<HistoryEvent, 'type' | 'object'>): void {
    this.line({ type, object });
  }

  bookmark(version: number): void {
    const object = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { resourceVersion: String(version), creationTimestamp: null },
    };
    this.line({ type: 'BOOKMARK', object });
  }

  /** An ERROR event within the answer 200, which is how most versions of Kubernetes tell that a version is too old. */
  error(code: number, extra: object = {}): void {
    this.line({ type: 'ERROR', object: { ...statusObject(code, 'an error in the stream'), ...extra } });
  }

  line(value: object): void {
    this.raw(`${JSON.stringify(value)}\n`);
  }

  raw(text: string): void {
    if (this.#mute) return;
    const bytes = Buffer.from(text);
    this.#writing = this.#writing.then(() => this.#write(bytes));
  }

  /** From now on nothing reaches the client, and nobody closes anything: a peer that vanished. */
  silence(): void {
    this.#mute = true;
  }

  /** The clean end: the chunk of length zero. */
  end(): void {
    if (this.#mute) return;
    this.#mute = true;
    this.#writing = this.#writing.then(() => void this.#response.end());
  }

  /** TCP reset. */
  reset(): void {
    this.#response.socket?.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    const size = this.#chunkBytes === 0 ? bytes.length : this.#chunkBytes;
    for (let at = 0; at < bytes.length; at += size) {
      this.#response.write(bytes.subarray(at, at + size));
      if (size < bytes.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
