/** One response on which a SockJS client receives frames: a poll, a stream, an event source. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { HEARTBEAT } from '../../sockjs/index.ts';

/** How frames stand in the response of a transport. */
export interface Transport {
  readonly contentType: string;
  /** Before the first frame. */
  readonly prelude: string;
  readonly wrap: (frame: string) => string;
  /** The response ends with the frame that reaches this; the client asks again. */
  readonly maxBytes: number;
}

/** What browsers keep of a stream in memory until it ends; the value of sockjs-node and Spring. */
const STREAM_MAX_BYTES = 128 * 1024;
/** Idle connections are cut by what stands between; 25 s is the protocol's own value. */
const HEARTBEAT_EVERY_MS = 25_000;

const lines = { contentType: 'application/javascript; charset=UTF-8', wrap: (frame: string) => `${frame}\n` };

export const transports: Readonly<Record<'xhr' | 'xhr_streaming' | 'eventsource', Transport>> = {
  xhr: { ...lines, prelude: '', maxBytes: 1 },
  // Browsers show nothing of a stream before its first 2 KiB.
  xhr_streaming: { ...lines, prelude: `${'h'.repeat(2048)}\n`, maxBytes: STREAM_MAX_BYTES },
  eventsource: {
    contentType: 'text/event-stream; charset=UTF-8',
    prelude: '\r\n',
    // Clients decode frames as a URI.
    wrap: (frame) => `data: ${frame.replaceAll('%', '%25')}\r\n\r\n`,
    maxBytes: STREAM_MAX_BYTES,
  },
};

export interface ReceiverHandlers {
  /** Some of what was written has left us. */
  onDrain(): void;
  /** Once. Whether all that was written has left us; otherwise it is not known what the client has got. */
  onGone(isWhole: boolean): void;
}

export class Receiver {
  readonly #response: ServerResponse;
  readonly #transport: Transport;
  readonly #handlers: ReceiverHandlers;
  #heartbeat: NodeJS.Timeout | undefined;
  #writtenBytes = 0;

  /** Streams begin at once, polls with their only frame. */
  constructor(
    response: ServerResponse,
    transport: Transport,
    headers: OutgoingHttpHeaders,
    handlers: ReceiverHandlers,
  ) {
    this.#response = response;
    this.#transport = transport;
    this.#handlers = handlers;
    response.once('close', () => {
      clearTimeout(this.#heartbeat);
      handlers.onGone(response.writableFinished);
    });
    // Proxies that gather a response before they pass it on would hold a stream for ever.
    const all = { ...headers, 'content-type': transport.contentType, 'x-accel-buffering': 'no' };
    response.setHeaders(new Map(Object.entries(all)) as Map<string, string>);
    if (transport.prelude !== '') response.write(transport.prelude);
    this.#heartbeat = setTimeout(() => this.write(HEARTBEAT), HEARTBEAT_EVERY_MS);
  }

  /** Whether frames can be written: it has not ended. */
  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  write(frame: string): void {
    const text = this.#transport.wrap(frame);
    this.#writtenBytes += Buffer.byteLength(text);
    this.#heartbeat?.refresh();
    if (this.#writtenBytes >= this.#transport.maxBytes) this.#end(text);
    else this.#response.write(text, () => this.#handlers.onDrain());
  }

  /** Ends the response with this frame: the client comes back, or is gone. */
  finish(frame: string): void {
    if (this.isOpen) this.#end(this.#transport.wrap(frame));
  }

  abort(): void {
    this.#response.destroy();
  }

  #end(text: string): void {
    clearTimeout(this.#heartbeat);
    this.#response.end(text);
  }
}
