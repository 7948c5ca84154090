/** Opens WebSockets to pods: the client's own upgrade request, said again. */
import type { ClientRequest } from 'node:http';
import { WebSocket } from 'ws';
import type { Pod } from '../discovery/index.ts';
import { FramedSocket } from '../relay/framed-socket.ts';
import type { Dial, LinkHandlers, LinkSocket, UpgradeTarget } from '../relay/ports.ts';
import type { Socket, SocketHandlers } from '../relay/socket.ts';
import { PlainSocket, type WebSocketOptions } from '../relay/web-socket.ts';
import type { LinkEnd } from '../session/index.ts';
import { clientFraming } from '../sockjs/index.ts';
import { SessionIds, sockJsTarget } from './session-ids.ts';

export interface DialerOptions {
  readonly tls: boolean;
  /** Host header and TLS server name; default the pod's address. */
  readonly hostHeader: string | undefined;
  readonly connectMaxMs: number;
  /** Largest message of a pod. */
  readonly maxMessageBytes: number;
  /** How long a pod may take to answer a close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
  readonly socket: WebSocketOptions;
  /** Pods are asked for SockJS WebSockets instead of raw ones, by session ids that stay the same for a client's session. */
  readonly sockJs: boolean;
}

/** Fragments of one message and chunks of one read (CVE-2026-48779, CVE-2026-62389: bytes alone are no bound). */
const FRAGMENTS_MAX = 256;
const CHUNKS_MAX = 4096;

/** A code that SockJS text is not enough for a frame; RFC 6455 §7.4.1. */
const UNSUPPORTED_DATA = 1003;
/** RFC 6455 §7.4.1: there was no closing handshake. */
const ABNORMAL = 1006;

export class Dialer implements Dial {
  readonly #options: DialerOptions;
  readonly #now: () => number;
  readonly #onOtherId: (pod: Pod) => void;
  readonly #ids = new SessionIds();

  /** @param onOtherId a link could not have the id of its session, since an older link of it at this pod may still be open */
  constructor(options: DialerOptions, now: () => number, onOtherId: (pod: Pod) => void = () => {}) {
    this.#options = options;
    this.#now = now;
    this.#onOtherId = onOtherId;
  }

  dial(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket {
    return this.#options.sockJs ? this.#dialSockJs(pod, target, handlers) : this.#dialRaw(pod, target, handlers);
  }

  #dialRaw(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket {
    const ws = this.#open(pod, target, target.path);
    ws.once('open', () => handlers.onOpen());
    return new PlainSocket(ws, this.#options.socket, socketHandlers(ws, handlers), this.#now);
  }

  /** Open is what the pod's greeting has opened. */
  #dialSockJs(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket {
    const id = this.#ids.take(pod, target);
    if (!id.isStable) this.#onOtherId(pod);
    const ws = this.#open(pod, target, sockJsTarget(target.path, id.id));
    ws.once('close', (code) => id.release(code !== ABNORMAL));
    const framed = {
      ...socketHandlers(ws, handlers),
      onGreeted: () => handlers.onOpen(),
      onNoText: (socket: Socket) => socket.close(UNSUPPORTED_DATA, 'not text'),
    };
    return new FramedSocket(ws, clientFraming, this.#options.socket, framed, this.#now);
  }

  #open(pod: Pod, { protocols, headers }: UpgradeTarget, path: string): WebSocket {
    const { tls, hostHeader, connectMaxMs, maxMessageBytes, closeMaxMs } = this.#options;
    const limits = { maxPayload: maxMessageBytes, maxFragments: FRAGMENTS_MAX, maxBufferedChunks: CHUNKS_MAX };
    return new WebSocket(`${tls ? 'wss' : 'ws'}://${pod.address}`, [...protocols], {
      headers: { ...asObject(headers), ...(hostHeader === undefined ? {} : { host: hostHeader }) },
      ...(hostHeader === undefined ? {} : { servername: hostHeader.replace(/:\d+$/, '') }),
      handshakeTimeout: connectMaxMs,
      ...limits,
      ...{ closeTimeout: closeMaxMs },
      perMessageDeflate: false,
      followRedirects: false,
      // RabbitMQ sends any body as text; whether it is text is between the backend and the client.
      skipUTF8Validation: true,
      finishRequest: (request: ClientRequest) => {
        // As a part of the URL it would be rewritten: dot segments resolved, characters encoded.
        request.path = path;
        request.end();
      },
    });
  }
}

/** How a link ends that was never open is not told by its close. */
function socketHandlers(ws: WebSocket, handlers: LinkHandlers): SocketHandlers {
  let failure: LinkEnd | undefined;
  ws.once('unexpected-response', (_request, response) => {
    failure = { kind: 'handshake', status: response.statusCode ?? 0 };
    response.resume();
    ws.terminate();
  });
  const unreachable = (error: Error) => {
    failure ??= { kind: 'unreachable', message: error.message };
  };
  ws.once('error', unreachable);
  // What goes wrong from here on is told by the close.
  ws.once('open', () => ws.off('error', unreachable));
  return {
    onMessage: (bytes, binary) => handlers.onMessage(bytes, binary),
    onDrain: () => handlers.onDrain(),
    onClose: (code, reason) => handlers.onEnd(failure ?? { kind: 'closed', code, reason }),
  };
}

/** Repeated headers keep all their values. */
function asObject(headers: readonly string[]): Record<string, string | string[]> {
  const result = new Map<string, string[]>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    result.set(name, [...(result.get(name) ?? []), headers[i + 1] ?? '']);
  }
  return Object.fromEntries(
    [...result].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}
