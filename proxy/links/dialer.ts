/** Opens WebSockets to pods: the client's own upgrade request, said again. */
import type { Pod } from '../discovery/index.ts';
import { FramedSocket } from '../relay/framed-socket.ts';
import type { Dial, LinkHandlers, LinkSocket, UpgradeTarget } from '../relay/ports.ts';
import type { Socket } from '../relay/socket.ts';
import { Turnstile } from '../relay/turnstile.ts';
import { PlainSocket, type WebSocketOptions } from '../relay/web-socket.ts';
import { clientFraming } from '../sockjs/index.ts';
import { SessionIds, sockJsTarget } from './session-ids.ts';
import { requestUpgrade } from './upgrade-request.ts';

export interface DialerOptions {
  readonly tls: boolean;
  /** Host header and TLS server name; default the pod's address. */
  readonly hostHeader: string | undefined;
  readonly connectMaxMs: number;
  /** Largest message of a pod. */
  readonly maxMessageBytes: number;
  /** How long a pod may take to answer a close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
  readonly highMarkBytes: number;
  /** Pods are asked for SockJS WebSockets instead of raw ones, by session ids that stay the same for a client's session. */
  readonly sockJs: boolean;
}

/** Frames that a pod may split one message into: bytes alone are no bound on time (CVE-2026-48779, CVE-2026-62389). */
const PARTS_MAX = 256;

/** Links of one pod that are read again in a turn, while others of them wait: the ends of so many take some 5 ms. */
const LINKS_PER_TURN = 128;

/** A code that SockJS text is not enough for a frame; RFC 6455 §7.4.1. */
const UNSUPPORTED_DATA = 1003;
/** RFC 6455 §7.4.1: there was no closing handshake. */
const ABNORMAL = 1006;

export class Dialer implements Dial {
  readonly #options: DialerOptions;
  readonly #socketOptions: WebSocketOptions;
  /** By the pod's id, with the turnstile of its links, which have them for as long as there are any. */
  readonly #podOptions = new Map<string, WeakRef<WebSocketOptions>>();
  readonly #now: () => number;
  readonly #onOtherId: (pod: Pod) => void;
  readonly #ids = new SessionIds();

  /** @param onOtherId a link could not have the id of its session, since an older link of it at this pod may still be open */
  constructor(options: DialerOptions, now: () => number, onOtherId: (pod: Pod) => void = () => {}) {
    this.#options = options;
    const { maxMessageBytes, closeMaxMs, highMarkBytes } = options;
    this.#socketOptions = {
      ...{ peer: 'server', highMarkBytes, maxMessageBytes, maxParts: PARTS_MAX, closeMaxMs },
      // RabbitMQ sends any body as text; whether it is text is between the backend and the client.
      checksText: false,
    };
    this.#now = now;
    this.#onOtherId = onOtherId;
  }

  dial(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket {
    if (this.#options.sockJs) return this.#dialSockJs(pod, target, handlers);
    return this.#open(pod, target, target.path, handlers);
  }

  #optionsFor({ id }: Pod): WebSocketOptions {
    const known = this.#podOptions.get(id)?.deref();
    if (known !== undefined) return known;
    for (const [other, options] of this.#podOptions) if (options.deref() === undefined) this.#podOptions.delete(other);
    const options = { ...this.#socketOptions, turnstile: new Turnstile(LINKS_PER_TURN) };
    this.#podOptions.set(id, new WeakRef(options));
    return options;
  }

  /** Open is what the pod's greeting has opened. */
  #dialSockJs(pod: Pod, target: UpgradeTarget, handlers: LinkHandlers): LinkSocket {
    const id = this.#ids.take(pod, target);
    if (!id.isStable) this.#onOtherId(pod);
    const framing = {
      onGreeted: () => handlers.onOpen(),
      onNoText: (socket: Socket) => socket.close(UNSUPPORTED_DATA, 'not text'),
    };
    const path = sockJsTarget(target.path, id.id);
    return new FramedSocket(clientFraming, handlers, framing, (own) =>
      this.#open(pod, target, path, {
        ...own,
        onOpen: () => {},
        onClose: (code, reason, fault) => {
          id.release(code !== ABNORMAL);
          own.onClose(code, reason, fault);
        },
        onFailed: (end) => {
          id.release(false);
          handlers.onFailed(end);
        },
      }),
    );
  }

  /** @param handlers are kept as they are: each of them would cost a closure for as long as the link is open */
  #open(pod: Pod, { protocols, headers }: UpgradeTarget, path: string, handlers: LinkHandlers): PlainSocket {
    const { tls, hostHeader, connectMaxMs } = this.#options;
    const plain = new PlainSocket(this.#optionsFor(pod), handlers, this.#now, () => cancel());
    const asked = { address: pod.address, tls, hostHeader, path, protocols, headers, timeoutMs: connectMaxMs };
    const cancel = requestUpgrade(asked, {
      onOpen: (connection, rest) => {
        plain.open(connection.socket, (read) => connection.listen(read, rest));
        handlers.onOpen();
      },
      onFailure: (end) => handlers.onFailed(end),
    });
    return plain;
  }
}
