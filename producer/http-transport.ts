/**
 * Messages as HTTP requests to the pods: POST, the body as it is, identity in the headers `holdfast-id` and
 * `holdfast-seq`, connections kept alive.
 *
 * What an answer means is a table (`meaningOf`). What a failure means depends on when it came: before the request was on
 * the wire nobody can have taken the message, after that the pod may have, and only its answer got lost.
 */
import type { ConnectionOptions } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { type Clock, systemClock } from './clock.ts';
import { type Message, type PostResult, type Transport, unreachable } from './transport.ts';
import { TemplateError, urlTemplate } from './url-template.ts';

export interface HttpTransportOptions {
  /** With {address} or {pod}, {user} and {destination}. Default: the door of Holdfast's own backend. */
  readonly url?: string;
  /** Sent with each request, an Authorization say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 64: a pod that answers in 5 ms takes 12,800 messages a second through them. Further requests wait. */
  readonly maxSocketsPerPod?: number;
  /** For https: ca, cert, key, servername, … as in node:tls. */
  readonly tls?: Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'socket'>;
  readonly clock?: Clock;
}

export const DEFAULT_URL = 'http://{address}/users/{user}/messages?destination={destination}';
const MAX_SOCKETS_PER_POD = 64;
/** Below the 5 s after which Node's own server closes an idle connection (Tomcat: 20 s), so that we close first. */
const IDLE_SOCKET_MS = 4_000;
/** A pod whose address swallows packets is given up: as long as an attempt has. What waits for the connection then fails. */
const CONNECT_TIMEOUT_MS = 2_000;
/** An answer is a line of JSON. What follows more than this is not read, and the connection is not used again. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** What frames a request on its connection is the client's own. */
const FRAMING_HEADERS = 'connection content-length expect keep-alive te trailer transfer-encoding upgrade'.split(' ');

/** What the status of a whole answer says. Redirects are not followed: they would lead away from the pod. */
export function meaningOf(status: number): PostResult {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 404 || status === 421) return 'no-session';
  // Shutting down, overloaded, or too late: in all of them the server has not processed the request (RFC 9110, 6585, 8470).
  if (status === 408 || status === 425 || status === 429 || status === 503)
    return unreachable(`status ${status}`, false);
  // The pod, or a gateway before it, failed somewhere in the middle.
  if (status >= 500) return unreachable(`status ${status}`, true);
  return { refused: `status ${status}` };
}

/** Throws TypeError for a template or a header that is wrong; the text says what. */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  const template = urlTemplate(options.url ?? DEFAULT_URL);
  const client = new PodClient(options);
  return {
    async post(pod, message, deadline) {
      try {
        const { user, destination } = message;
        const { origin, path } = template({ user, destination, address: pod.address, pod: pod.name });
        return await client.post(origin, path, message, deadline);
      } catch (error) {
        if (error instanceof TemplateError) return { refused: error.message };
        throw error;
      }
    },
    close: () => client.close(),
  };
}

class PodClient {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #agent: Agent;
  #closed = false;

  constructor({
    headers = {},
    maxSocketsPerPod = MAX_SOCKETS_PER_POD,
    tls = {},
    clock = systemClock,
  }: HttpTransportOptions) {
    this.#headers = checked(headers);
    this.#clock = clock;
    this.#agent = new Agent({
      connect: { ...tls, timeout: CONNECT_TIMEOUT_MS },
      connections: maxSocketsPerPod,
      keepAliveTimeout: IDLE_SOCKET_MS,
      keepAliveMaxTimeout: IDLE_SOCKET_MS,
      maxResponseSize: MAX_ANSWER_BYTES,
      // One HTTP/1.1 request at a time: what stands behind another one on its connection would share its fate.
      ...{ allowH2: false, pipelining: 1 },
      // Each message has a deadline of its own.
      ...{ headersTimeout: 0, bodyTimeout: 0 },
    });
  }

  post(origin: string, path: string, message: Message, deadline: number): Promise<PostResult> {
    if (this.#closed) return Promise.resolve(unreachable('the transport is closed', false));
    const { promise, resolve } = Promise.withResolvers<PostResult>();
    const post = new Post((result) => {
      cancel();
      resolve(result);
    });
    const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => post.abort('no answer in time'));
    const request = { method: 'POST', origin, path, headers: this.#headersOf(message), body: message.body } as const;
    try {
      this.#agent.dispatch(request, post);
    } catch (error) {
      post.onResponseError(undefined, error as Error); // an origin that is none
    }
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#agent.destroy(new Error('the transport was closed'));
  }

  #headersOf(message: Message): Record<string, string> {
    const type = message.contentType;
    return {
      ...this.#headers,
      ...message.headers,
      ...(type === undefined ? undefined : { 'content-type': type }),
      'holdfast-id': message.id,
      'holdfast-seq': message.seq,
    };
  }
}

/** One request: what the HTTP client tells of it until it has its result. */
class Post implements Dispatcher.DispatchHandler {
  #settle: ((result: PostResult) => void) | undefined;
  /** Absent as long as it waits for a connection: nothing of it has been sent. */
  #controller: Dispatcher.DispatchController | undefined;
  #status: number | undefined;

  /** @param settle called once */
  constructor(settle: (result: PostResult) => void) {
    this.#settle = settle;
  }

  /** Its connection is cut if it has one: whatever comes there would be the answer to this. */
  abort(trouble: string): void {
    this.#end(trouble);
    this.#controller?.abort(new Error(trouble));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown, it leaves the queue and its connection goes on with the next one.
    if (this.#settle === undefined) throw new Error('it was given up while it waited for a connection');
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    if (status >= 200) this.#status = status; // 1xx says that the answer is still to come
  }

  onResponseData(): void {} // the body says nothing that the status has not said

  onResponseEnd(): void {
    this.#end('');
  }

  onResponseError(_: unknown, error: NodeJS.ErrnoException): void {
    const { code = '', message } = error;
    this.#end(code.startsWith('E') ? code : message);
  }

  /** The status line has decided, whatever became of the rest of the answer. */
  #end(trouble: string): void {
    const settle = this.#settle;
    this.#settle = undefined;
    const hasBegun = this.#controller !== undefined;
    settle?.(this.#status === undefined ? unreachable(trouble, hasBegun) : meaningOf(this.#status));
  }
}

/** Names in lower case, so that those of a message take the place of these. */
function checked(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  const [framing] = entries.find(([name]) => FRAMING_HEADERS.includes(name)) ?? [];
  if (framing !== undefined) throw new TypeError(`headers: ${framing} is set by the transport itself`);
  return Object.fromEntries(entries);
}
