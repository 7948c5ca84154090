/** Opens WebSockets to pods: the client's own upgrade request, said again. */
import type { ClientRequest } from 'node:http';
import { WebSocket } from 'ws';
import type { Pod } from '../discovery/index.ts';
import type { Dial, LinkHandlers, UpgradeTarget } from '../relay/ports.ts';
import { Socket, type SocketOptions } from '../relay/socket.ts';
import type { LinkEnd } from '../session/index.ts';

export interface DialerOptions {
  readonly tls: boolean;
  /** Host header and TLS server name; default the pod's address. */
  readonly hostHeader: string | undefined;
  readonly connectMaxMs: number;
  /** Largest message of a pod. */
  readonly maxMessageBytes: number;
  /** How long a pod may take to answer a close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
  readonly socket: SocketOptions;
}

/** Fragments of one message and chunks of one read (CVE-2026-48779, CVE-2026-62389: bytes alone are no bound). */
const FRAGMENTS_MAX = 256;
const CHUNKS_MAX = 4096;

export class Dialer implements Dial {
  readonly #options: DialerOptions;
  readonly #now: () => number;

  constructor(options: DialerOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  dial(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): Socket {
    const ws = this.#open(pod, target);
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
    ws.once('open', () => {
      // What goes wrong from here on is told by the close.
      ws.off('error', unreachable);
      handlers.onOpen();
    });
    return new Socket(
      ws,
      this.#options.socket,
      {
        onMessage: (bytes, binary) => handlers.onMessage(bytes, binary),
        onDrain: () => handlers.onDrain(),
        onClose: (code, reason) => handlers.onEnd(failure ?? { kind: 'closed', code, reason }),
      },
      this.#now,
    );
  }

  #open(pod: Pod, { path, protocols, headers }: UpgradeTarget): WebSocket {
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
