/**
 * GET /v1/ring: the rings, for producers and for people. With `Accept: text/event-stream` as a stream that begins with the
 * rings of now and goes on with each change, for as long as the reader wants.
 */
import type { ServerResponse } from 'node:http';
import { type RingSnapshot, writeRing } from '../../producer/index.ts';
import { answerJson, type Door, type Exchange, HttpError } from '../admin/index.ts';
import type { Metrics } from '../metrics.ts';

/** The part of routing that producers may know. */
export interface RingFacts {
  current(): RingSnapshot;
  /** Calls back after each change. @returns how to end that */
  subscribe(changed: () => void): () => void;
}

export interface RingDoorOptions {
  readonly ring: RingFacts;
  readonly metrics: Pick<Metrics, 'ringStreams'>;
  /** Default 1024: one for each producer process. */
  readonly maxStreams?: number;
}

const MAX_STREAMS = 1024;
/** A third of the silence after which readers give a stream up. */
const BEAT_MS = 15_000;
/** What a reader may leave unread: some rings of a large cluster. One that leaves more is cut and will come back. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export function createRingDoor(options: RingDoorOptions): Door {
  const door = new RingDoor(options);
  const route: Door['routes'][number] = {
    method: 'GET',
    path: '/v1/ring',
    help: 'the committed and the target ring; with Accept: text/event-stream as a stream',
    handle: (exchange) => door.handle(exchange),
  };
  return { routes: [route], close: () => door.close() };
}

class RingDoor {
  readonly #options: RingDoorOptions;
  readonly #streams = new Set<ServerResponse>();
  readonly #unsubscribe: () => void;
  readonly #beat: NodeJS.Timeout;
  #lastEvent = '';
  #closed = false;

  constructor(options: RingDoorOptions) {
    this.#options = options;
    this.#unsubscribe = options.ring.subscribe(() => this.#changed());
    this.#beat = setInterval(() => this.#write(': beat\n\n'), BEAT_MS).unref();
  }

  handle({ request, response }: Exchange): void {
    const wantsStream = request.method === 'GET' && (request.headers.accept ?? '').includes('text/event-stream');
    if (wantsStream) this.#open(response);
    else answerJson(response, 200, writeRing(this.#options.ring.current()));
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#beat);
    this.#unsubscribe();
    for (const stream of this.#streams) stream.end();
  }

  #open(response: ServerResponse): void {
    const { maxStreams = MAX_STREAMS } = this.#options;
    if (this.#closed) throw new HttpError(503, 'shutting-down', 'the proxy is shutting down');
    if (this.#streams.size >= maxStreams) {
      throw new HttpError(503, 'busy', `${maxStreams} streams are open already`, { 'retry-after': '10' });
    }
    this.#add(response);
    // nginx would keep the events to itself otherwise.
    const headers = { 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    response.write(this.#event());
  }

  #add(response: ServerResponse): void {
    this.#streams.add(response);
    this.#count();
    response.on('close', () => {
      this.#streams.delete(response);
      this.#count();
    });
  }

  #count(): void {
    this.#options.metrics.ringStreams.set(this.#streams.size);
  }

  #event(): string {
    return `event: ring\ndata: ${JSON.stringify(writeRing(this.#options.ring.current()))}\n\n`;
  }

  #changed(): void {
    const event = this.#event();
    if (event === this.#lastEvent) return;
    this.#lastEvent = event;
    this.#write(event);
  }

  #write(text: string): void {
    for (const stream of this.#streams) {
      if (stream.writableLength > MAX_UNREAD_BYTES) stream.destroy();
      else stream.write(text);
    }
  }
}
