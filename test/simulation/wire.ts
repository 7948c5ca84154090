/** One link between the proxy and a pod: what the session holds one end of, and the pod the other. */
import type { LinkEnd } from '../../proxy/session/index.ts';
import { Decoder, type Frame } from '../../stomp/index.ts';
import { type Network, Pipe } from './pipe.ts';

/** The proxy's end. It is called also after the proxy has cut the link: such callbacks are late and must change nothing. */
export interface ProxyEnd {
  opened(): void;
  frames(frames: readonly Frame[]): void;
  ended(end: LinkEnd): void;
}

/** The pod's end. */
export interface PodEnd {
  accept(wire: Wire): void;
  receive(wire: Wire, frame: Frame): void;
  closed(wire: Wire): void;
  /** It does not run until then. */
  readonly stalledUntilMs: number;
}

/** Whose link it is. */
export interface Listener {
  readonly user: string;
  /** The pod of this wire has taken a subscription. */
  listens(wire: Wire, destination: string): void;
}

/** Nothing was heard for this long: the proxy gives a link up. A pod notices a dead link no later. */
export const GONE_MS = 1_500;

export class Wire {
  readonly listener: Listener;
  readonly podId: string;
  /** What the pod knows to be subscribed: id and destination. */
  readonly subscriptions = new Map<string, string>();
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #network: Network;
  readonly #proxy: ProxyEnd;
  readonly #pod: PodEnd;
  #isBroken = false;
  #isHeard = true;
  #heldUntilMs = 0;

  constructor(network: Network, listener: Listener, podId: string, pod: PodEnd, proxy: ProxyEnd) {
    this.listener = listener;
    this.podId = podId;
    this.#network = network;
    this.#pod = pod;
    this.#proxy = proxy;
    const [atPod, atProxy] = [new Decoder({ peer: 'client' }), new Decoder({ peer: 'server' })];
    this.up = new Pipe(network, false, (bytes) => {
      for (const frame of framesOf(atPod, bytes)) pod.receive(this, frame);
    });
    this.down = new Pipe(network, true, (bytes) => proxy.frames(framesOf(atProxy, bytes)));
    this.up.holdUntil(pod.stalledUntilMs);
    this.up.push(() => pod.accept(this));
  }

  /** It has ended, or nothing comes through any more: its pod may not know yet. */
  get isBroken(): boolean {
    return this.#isBroken || !this.#isHeard;
  }

  get user(): string {
    return this.listener.user;
  }

  /** The proxy speaks. */
  send(bytes: Uint8Array): void {
    this.up.send(bytes);
  }

  /** The proxy closes its end; after `close` it waits for the pod's answer, after `abort` for nothing. */
  close(how: 'close' | 'abort'): void {
    if (how === 'abort') this.#isHeard = false;
    this.up.push(() => this.#pod.closed(this));
  }

  /** The pod speaks. */
  opened(): void {
    this.down.push(() => this.#proxy.opened());
  }

  deliver(bytes: Uint8Array, delayMs = 0): void {
    this.down.send(bytes, delayMs);
  }

  /** The pod ends it, in order. */
  end(end: LinkEnd): void {
    this.#isBroken = true;
    this.down.push(() => this.#proxy.ended(end));
  }

  /** It breaks here and now: what is under way is lost in part, and both ends see it. */
  reset(end: LinkEnd): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { agenda, dice, latencyMs } = this.#network;
    const atMs = agenda.now + dice.between(0, latencyMs);
    this.up.cutAt(atMs);
    this.down.cutAt(atMs);
    this.#pod.closed(this);
    this.#endAt(atMs, end);
  }

  /** Nothing comes through any more and nobody is told; both ends see it by silence. */
  halfOpen(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { agenda, dice } = this.#network;
    this.up.cutAt(agenda.now);
    this.down.cutAt(agenda.now);
    agenda.after(dice.between(0, GONE_MS), () => this.#pod.closed(this));
    this.#endAt(agenda.now + GONE_MS, { kind: 'silent', sinceMs: GONE_MS });
  }

  /** Nothing moves for so long. A proxy that hears nothing for GONE_MS cuts the link. */
  stall(ms: number): void {
    const { agenda } = this.#network;
    this.up.holdUntil(this.#pod.stalledUntilMs);
    this.down.holdUntil(agenda.now + ms);
    this.#heldUntilMs = agenda.now + ms;
    if (ms > GONE_MS) agenda.after(GONE_MS, () => this.#cutSilent());
  }

  /** The shell closes its end before it tells the session. */
  #cutSilent(): void {
    const { agenda, frozenUntilMs } = this.#network;
    if (!this.#isHeard || this.#isBroken || this.#heldUntilMs <= agenda.now) return;
    // Silence while the proxy itself did not run is nobody's fault.
    if (frozenUntilMs > agenda.now) return agenda.at(frozenUntilMs + GONE_MS, () => this.#cutSilent());
    this.#isBroken = true;
    this.close('abort');
    this.#proxy.ended({ kind: 'silent', sinceMs: GONE_MS });
  }

  #endAt(atMs: number, end: LinkEnd): void {
    this.#network.agenda.at(Math.max(atMs, this.#network.frozenUntilMs), () => this.#proxy.ended(end));
  }
}

function framesOf(decoder: Decoder, bytes: Uint8Array): Frame[] {
  const frames = decoder.push(bytes).filter((item) => item !== 'beat');
  if (decoder.error !== undefined) throw decoder.error;
  return frames;
}
