/** The door for WebSockets: who may upgrade, as whom, and the thin shell between ws and a session. */
import { isUtf8 } from 'node:buffer';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SUBPROTOCOLS } from '../stomp/index.ts';
import type { Pod } from './pod.ts';
import { Session, type SessionSocket } from './session.ts';
import { userOf } from './user.ts';

/** A close code that stands for none: the connection is cut. */
const CUT = 1006;

export class WebSocketDoor {
  readonly #pod: Pod;
  readonly #server: WebSocketServer;
  readonly #open = new Set<Session>();
  readonly #onLeave: () => void;

  /** `onLeave` is called after each WebSocket that closed. */
  constructor(pod: Pod, onLeave: () => void) {
    this.#pod = pod;
    this.#onLeave = onLeave;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Twice a frame, so that a frame that is too large is told so by an ERROR and not by a bare 1009.
      maxPayload: 2 * pod.settings.limits.maxFrameBytes,
      handleProtocols: (offered) => SUBPROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
    });
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Clients' sessions, connected; links of producers are not among them. */
  get sessions(): number {
    return this.#count((session) => session.connected && !session.isService);
  }

  /** WebSockets that a draining pod waits for: all but the links of producers, which stay as long as there is a pod. */
  get clients(): number {
    return this.#count((session) => !session.isService);
  }

  /** Answers an HTTP upgrade. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const user = userOf(request, this.#pod.settings.userHeaders);
    const refused = user.ambiguous ? 400 : this.#refusal(request);
    if (refused !== undefined) return refuse(socket, refused);
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, user.name));
  }

  /** Closes all sessions. */
  closeAll(code: number, reason: string): void {
    for (const session of [...this.#open]) session.end(code, reason);
  }

  #count(wanted: (session: Session) => boolean): number {
    let count = 0;
    for (const session of this.#open) if (wanted(session)) count += 1;
    return count;
  }

  #refusal(request: IncomingMessage): number | undefined {
    const { settings, faults, phase } = this.#pod;
    if (faults.plan.refuseUpgrade !== 0) return faults.plan.refuseUpgrade;
    if (phase === 'closing' || this.#open.size >= settings.maxConnections) return 503;
    const [path] = (request.url ?? '/').split('?');
    return settings.path === undefined || settings.path === path ? undefined : 404;
  }

  #accept(webSocket: WebSocket, user: string | undefined): void {
    const session = new Session(this.#pod, sessionSocket(webSocket, this.#pod.settings.closeTimeoutMs), user);
    this.#open.add(session);
    webSocket.on('message', (data) => session.receive(octets(data)));
    webSocket.on('error', (error) => this.#pod.settings.log.debug({ error: error.message }, 'websocket failed'));
    webSocket.on('close', () => {
      session.closed();
      this.#open.delete(session);
      this.#onLeave();
    });
  }
}

function sessionSocket(webSocket: WebSocket, closeTimeoutMs: number): SessionSocket {
  return {
    // TEXT wherever that is possible, because some clients read nothing else.
    send: (bytes) => webSocket.send(bytes, { binary: !isUtf8(bytes) }),
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    close: (code, reason) => {
      if (code === CUT) return webSocket.terminate();
      webSocket.resume();
      webSocket.close(code, reason);
      const timer = setTimeout(() => webSocket.terminate(), closeTimeoutMs);
      webSocket.once('close', () => clearTimeout(timer));
    },
  };
}

function octets(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}

function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
  );
}
