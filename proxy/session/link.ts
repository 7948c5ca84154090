/**
 * One upstream link, as the session knows it.
 *
 *     dialing ──open──▶ connecting ──CONNECTED──▶ replaying ──barrier──▶ ready ──▶ live ──▶ closing
 *
 * A link before `live` is the session's `next`; a live one is its primary, or an old one that drains. Each state carries
 * only the data that is legal in it, and `Link.to` is the only writer.
 */
import type { Pod } from '../discovery/index.ts';
import type { LinkCause, LinkId } from './events.ts';
import { SparseSet } from './sparse.ts';

export type LinkState =
  /** The WebSocket is being opened. */
  | { readonly name: 'dialing'; readonly untilMs: number }
  /** CONNECT is sent. */
  | { readonly name: 'connecting'; readonly untilMs: number }
  /** Subscriptions are sent; `awaiting` are our receipts, in the order asked for, with the key of the
   *  subscription that each proves (undefined: it ends one); `settleAtMs` is the barrier where there are none. */
  | {
      readonly name: 'replaying';
      readonly untilMs: number;
      readonly awaiting: Map<string, string | undefined>;
      readonly settleAtMs: number;
    }
  /** The barrier is passed; the switch waits for the end of the client's open transactions, unless it is due. */
  | { readonly name: 'ready'; readonly untilMs: number; readonly isDue: boolean }
  /** `drainUntilMs` is Infinity for the primary link. */
  | { readonly name: 'live'; readonly drainUntilMs: number; readonly erroredAtMs: number | undefined }
  /** DISCONNECT is sent; what comes before its receipt still counts. `proves`: with the answer nothing can be missing. */
  | { readonly name: 'closing'; readonly untilMs: number; readonly receipt: string; readonly proves: boolean };

export class Link {
  readonly id: LinkId;
  readonly pod: Pod;
  readonly cause: LinkCause;
  readonly dialedAtMs: number;
  #state: LinkState;
  /** Set when the link was left for another one: where to, and since when. */
  left: { readonly to: Pod; readonly atMs: number } | undefined;
  /** Our receipts for subscriptions that changed while it was not the link of the client's choice. */
  readonly unproven = new SparseSet<string>();
  /** When it last brought a message that no other link has, in the time of Core.orderTime. */
  heardAtMs = Number.NEGATIVE_INFINITY;
  /** How often its drain was made longer, because it still had something. */
  drainExtensions = 0;
  /** When it was last told of such a change; for peers that answer no receipts. */
  toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(id: LinkId, pod: Pod, cause: LinkCause, now: number, connectMaxMs: number) {
    this.id = id;
    this.pod = pod;
    this.cause = cause;
    this.dialedAtMs = now;
    this.#state = { name: 'dialing', untilMs: now + connectMaxMs };
  }

  get state(): LinkState {
    return this.#state;
  }

  to(state: LinkState): void {
    this.#state = state;
  }

  /** Its subscriptions are (being) made, so changes of subscriptions must be told to it. */
  get hears(): boolean {
    return this.#state.name === 'replaying' || this.#state.name === 'ready' || this.#state.name === 'live';
  }

  /** When this link wants to be looked at again; what is awaited its state says. */
  deadline(): number {
    const state = this.#state;
    if (state.name === 'live') return state.drainUntilMs;
    return state.name === 'replaying' ? Math.min(state.untilMs, state.settleAtMs) : state.untilMs;
  }
}
