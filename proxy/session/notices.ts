/**
 * `/holdfast/session`: the destination that the proxy answers itself.
 *
 * A client that subscribes there is told when its session moved and whether continuity is proven, so that an application
 * can fetch its state again over REST exactly when it must, and never otherwise.
 */
import type { Frame, Version } from '../../stomp/index.ts';
import { encode } from '../../stomp/index.ts';
import { SESSION_DESTINATION } from './options.ts';
import { echoed } from './replay.ts';

export interface Moved {
  readonly type: 'moved';
  /** Pod names. */
  readonly from: string;
  readonly to: string;
  /** A handover (true) or a recovery (false). */
  readonly planned: boolean;
  /** Longest time in ms that a message had to wait, or that the session had no pod. */
  readonly gapMs: number;
  /** `proven`: nothing can be missing. `unproven`: something may be; fetch the state again. */
  readonly continuity: 'proven' | 'unproven';
}

export class Notices {
  #subscriptions: string[] = [];
  #count = 0;

  get subscriptions(): number {
    return this.#subscriptions.length;
  }

  subscribe(frame: Frame): void {
    const name = nameOf(frame);
    if (!this.#subscriptions.includes(name)) this.#subscriptions.push(name);
  }

  /** Does this UNSUBSCRIBE name a subscription of ours? */
  has(unsubscribe: Frame): boolean {
    return this.#subscriptions.includes(nameOf(unsubscribe));
  }

  unsubscribe(frame: Frame): void {
    const name = nameOf(frame);
    this.#subscriptions = this.#subscriptions.filter((known) => known !== name);
  }

  /** One MESSAGE per subscription. */
  announce(notice: Moved, version: Version): Uint8Array[] {
    if (this.#subscriptions.length === 0) return [];
    this.#count++;
    const body = JSON.stringify(notice);
    return this.#subscriptions.map((subscription) =>
      encode(
        'MESSAGE',
        {
          subscription: echoed(subscription, version),
          'message-id': `holdfast-${this.#count}`,
          destination: SESSION_DESTINATION,
          'content-type': 'application/json',
        },
        body,
        version,
      ),
    );
  }
}

/** In STOMP 1.0 a subscription may have no id; then its destination names it. */
function nameOf(frame: Frame): string {
  return frame.header('id') ?? frame.header('destination') ?? '';
}
