/**
 * Messages as HTTP requests to the pods: POST, the body as it is, identity in the headers `holdfast-id` and
 * `holdfast-seq`, connections kept alive.
 *
 * What an answer means is a table (`meaningOf`). What a failure means depends on when it came: before the request was on
 * the wire nobody can have taken the message, after that the pod may have, and only its answer got lost.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions, request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type Clock, systemClock } from './clock.ts';
import { type Message, type PostResult, type Transport, unreachable } from './transport.ts';
import { type Target, TemplateError, urlTemplate } from './url-template.ts';

export interface HttpTransportOptions {
  /** With {address} or {pod}, {user} and {destination}. Default: the door of Holdfast's own backend. */
  readonly url?: string;
  /** Sent with each request, an Authorization say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 64: a pod that answers in 5 ms takes 12,800 messages a second through them. Further requests wait. */
  readonly maxSocketsPerPod?: number;
  /** For https: ca, cert, key, servername, … as in node:tls. */
  readonly tls?: HttpsAgentOptions;
  readonly clock?: Clock;
}

export const DEFAULT_URL = 'http://{address}/users/{user}/messages?destination={destination}';
const MAX_SOCKETS_PER_POD = 64;
/** Below the 5 s after which Node's own server closes an idle connection (Tomcat: 20 s), so that we close first. */
const IDLE_SOCKET_MS = 4_000;
/** An answer is a line of JSON. What follows more than this is not read, and the connection is not used again. */
const MAX_ANSWER_BYTES = 64 * 1024;

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

/** Throws TypeError for a template that is wrong; the text says what. */
export function httpTransport(options: HttpTransportOptions = {}): Transport {
  const template = urlTemplate(options.url ?? DEFAULT_URL);
  const client = new PodClient(options);
  return {
    async post(pod, message, deadline) {
      try {
        return await client.post(template({ ...message, address: pod.address, pod: pod.name }), message, deadline);
      } catch (error) {
        if (error instanceof TemplateError) return { refused: error.message };
        throw error;
      }
    },
    async close() {
      client.close();
    },
  };
}

class PodClient {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #open = new Set<(reason: string) => void>();
  #closed = false;

  constructor({
    headers = {},
    maxSocketsPerPod = MAX_SOCKETS_PER_POD,
    tls = {},
    clock = systemClock,
  }: HttpTransportOptions) {
    this.#headers = headers;
    this.#clock = clock;
    const keep = {
      keepAlive: true,
      maxSockets: maxSocketsPerPod,
      scheduling: 'lifo',
      timeout: IDLE_SOCKET_MS,
    } as const;
    this.#http = new HttpAgent(keep);
    this.#https = new HttpsAgent({ ...tls, ...keep });
  }

  post(target: Target, message: Message, deadline: number): Promise<PostResult> {
    if (this.#closed) return Promise.resolve(unreachable('the transport is closed', false));
    return new Promise((resolve) => {
      const request = this.#request(target, message);
      const wire = watchWire(request);
      let status: number | undefined;
      const end = (trouble: string) => {
        cancel();
        // The status line has decided, whatever became of the rest of the answer.
        resolve(status === undefined ? unreachable(trouble, wire.reached) : meaningOf(status));
      };
      const abort = (trouble: string) => {
        end(trouble);
        request.destroy();
      };
      const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => abort('no answer in time'));
      this.#open.add(abort);
      request.on('close', () => this.#open.delete(abort));
      request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
      request.on('response', (response) => {
        status = response.statusCode;
        readAway(response, () => abort('the answer is too long'));
        response.on('close', () => end('the answer was cut off'));
      });
      request.end(message.body);
    });
  }

  close(): void {
    this.#closed = true;
    for (const abort of [...this.#open]) abort('the transport was closed');
    this.#http.destroy();
    this.#https.destroy();
  }

  #request({ protocol, hostname, port, path }: Target, message: Message): ClientRequest {
    const options: RequestOptions = { method: 'POST', hostname, port, path, headers: this.#headersOf(message) };
    if (protocol === 'https:') return requestHttps({ ...options, agent: this.#https });
    return requestHttp({ ...options, agent: this.#http });
  }

  #headersOf(message: Message): Record<string, string | number> {
    return {
      ...this.#headers,
      ...message.headers,
      ...(message.contentType === undefined ? {} : { 'content-type': message.contentType }),
      'content-length': message.body.byteLength,
      'holdfast-id': message.id,
      'holdfast-seq': message.seq,
    };
  }
}

/** `reached`: bytes of the request may have been sent, i.e. it has a socket that is ready for them. */
function watchWire(request: ClientRequest): { readonly reached: boolean } {
  const wire = { reached: false };
  request.on('socket', (socket) => {
    if (!socket.connecting) wire.reached = true;
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => (wire.reached = true));
  });
  return wire;
}

/** The body says nothing that the status has not said; it is read so that the connection can be used again. */
function readAway(response: IncomingMessage, tooLong: () => void): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) tooLong();
  });
  response.on('error', () => {}); // 'close' follows
}
