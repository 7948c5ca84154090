/**
 * Deliveries that the client has not acknowledged yet, and the link that each belongs to.
 *
 * The id by which a delivery is acknowledged belongs to the link that brought it: RabbitMQ takes one of another connection and
 * acknowledges whatever it has under that number. So ACK and NACK go to the link of their delivery, and nowhere when that
 * is gone: the broker gives the message out again, and marks it.
 *
 * Ids are only as unique as a link makes them. One that the client still has of another link is shown under a new name.
 *
 * STOMP 1.2 acknowledges by the `ack` header of the MESSAGE, 1.1 by `message-id` and `subscription`, 1.0 by `message-id`.
 * The mode `client` acknowledges everything before on the same subscription, too.
 */
import type { Frame, Version } from '../../stomp/index.ts';
import { rewrite } from '../../stomp/index.ts';
import type { LinkId } from './events.ts';
import { SparseMap } from './sparse.ts';

export type AckMode = 'client' | 'client-individual';

/** Deliveries remembered per session; past that the oldest is forgotten, and acknowledged only while there was but one link. */
export const ACKS_MAX = 16_384;

export interface OpenDelivery {
  readonly link: LinkId;
  readonly subscription: string;
  readonly mode: AckMode;
  /** The id as the pod said it, and as the client was told. */
  readonly id: string;
  readonly shown: string;
  /** The client was not told of it (a repeat): the proxy acknowledges it itself. */
  readonly isOwn: boolean;
}

/** The mode that a SUBSCRIBE asks for; undefined for `auto`. */
export function ackModeOf(subscribe: Frame): AckMode | undefined {
  const mode = subscribe.header('ack');
  return mode === 'client' || mode === 'client-individual' ? mode : undefined;
}

export class Acks {
  /** By the name that the client knows, oldest first. */
  readonly #open = new SparseMap<string, OpenDelivery>();
  /** Modes by the id of the subscription. */
  readonly #modes = new SparseMap<string, AckMode>();
  #renamed = 0;

  /** Some subscription acknowledges what it gets. */
  get isUsed(): boolean {
    return this.#modes.size > 0;
  }

  get size(): number {
    return this.#open.size;
  }

  subscribe(frame: Frame): void {
    const mode = ackModeOf(frame);
    if (mode !== undefined) this.#modes.set(subscriptionIdOf(frame), mode);
  }

  /** What came on it need not be acknowledged any more: brokers refuse that. */
  unsubscribe(frame: Frame): void {
    const subscription = subscriptionIdOf(frame);
    this.#modes.delete(subscription);
    for (const [name, delivery] of this.#open) if (delivery.subscription === subscription) this.#open.delete(name);
  }

  /** Is this a MESSAGE that has to be acknowledged? */
  wants(message: Frame): boolean {
    return this.#modes.has(message.header('subscription') ?? '');
  }

  /**
   * Notes a MESSAGE that has to be acknowledged.
   * @param isOwn it does not go to the client
   * @returns the bytes for the client, and the delivery
   */
  note(message: Frame, link: LinkId, version: Version, isOwn = false): { bytes: Uint8Array; delivery: OpenDelivery } {
    const subscription = message.header('subscription') ?? '';
    const header = idHeader(message, version);
    const id = message.header(header) ?? '';
    const isTaken = this.#open.has(nameOf(id, subscription, version)) || isOwn;
    const shown = isTaken ? `${id}+${++this.#renamed}` : id;
    const mode = this.#modes.get(subscription) ?? 'client-individual';
    const delivery = { link, subscription, mode, id, shown, isOwn };
    this.#open.set(nameOf(shown, subscription, version), delivery);
    this.#forgetOldest();
    const bytes = isTaken ? renamed(message, header, shown, version) : message.bytes;
    return { bytes, delivery };
  }

  /** Takes out the delivery that an ACK or NACK of the client names, and in the mode `client` those before it. */
  take(frame: Frame, version: Version): OpenDelivery | undefined {
    const name = this.#nameIn(frame, version);
    const delivery = name === undefined ? undefined : this.#open.get(name);
    if (name === undefined || delivery === undefined || delivery.isOwn) return undefined;
    if (delivery.mode === 'client') this.#takeBefore(delivery);
    this.#open.delete(name);
    return delivery;
  }

  /** Our own that nothing of the client is waited for any more: taken out, the last one for all in the mode `client`. */
  takeOwn(link: LinkId): OpenDelivery[] {
    const waiting = new Set<string>();
    const ripe: OpenDelivery[] = [];
    for (const [name, delivery] of this.#open) {
      if (delivery.link !== link) continue;
      if (!delivery.isOwn) waiting.add(delivery.subscription);
      else if (delivery.mode === 'client-individual' || !waiting.has(delivery.subscription)) {
        this.#open.delete(name);
        ripe.push(delivery);
      }
    }
    return ripe;
  }

  #takeBefore({ link, subscription, shown }: OpenDelivery): void {
    for (const [name, earlier] of this.#open) {
      if (earlier.link !== link || earlier.subscription !== subscription) continue;
      if (earlier.shown === shown) return;
      this.#open.delete(name);
    }
  }

  /** STOMP 1.0 may leave the subscription out. */
  #nameIn(frame: Frame, version: Version): string | undefined {
    if (version === '1.2') return frame.header('id');
    const id = frame.header('message-id') ?? '';
    const subscription = frame.header('subscription');
    if (subscription !== undefined) return nameOf(id, subscription, version);
    for (const [name, { shown }] of this.#open) if (shown === id) return name;
    return undefined;
  }

  #forgetOldest(): void {
    if (this.#open.size <= ACKS_MAX) return;
    for (const oldest of this.#open.keys()) {
      this.#open.delete(oldest);
      return;
    }
  }
}

/** ACK or NACK as the pod of the delivery understands it. */
export function forPod(frame: Frame, delivery: OpenDelivery, version: Version): Uint8Array {
  if (delivery.shown === delivery.id) return frame.bytes;
  return renamed(frame, version === '1.2' ? 'id' : 'message-id', delivery.id, version);
}

/** The headers of an ACK that the proxy makes itself. */
export function ackHeaders({ id, subscription }: OpenDelivery, version: Version): Record<string, string> {
  return version === '1.2' ? { id } : { 'message-id': id, subscription };
}

/** A server that speaks 1.2 without `ack` is acknowledged by message-id: stomp.js does it so. */
function idHeader(message: Frame, version: Version): 'ack' | 'message-id' {
  return version === '1.2' && message.header('ack') !== undefined ? 'ack' : 'message-id';
}

function renamed(frame: Frame, header: string, id: string, version: Version): Uint8Array {
  return rewrite(frame, { drop: (name) => name === header, add: [[header, id]] }, version);
}

/** What the client names a delivery by, as one text. */
function nameOf(id: string, subscription: string, version: Version): string {
  return version === '1.2' ? id : `${subscription}\n${id}`;
}

/** The `subscription` header of the messages of a SUBSCRIBE. */
function subscriptionIdOf(frame: Frame): string {
  return frame.header('id') ?? '';
}
