/** What the process with the clients and the one with the ledger say to each other. */

export interface ClientPlan {
  readonly user: string;
  readonly subscriptions: readonly {
    /** As the ledger calls it. */
    readonly destination: string;
    /** What is said in SUBSCRIBE. */
    readonly to: string;
  }[];
}

export type ToClients =
  | {
      readonly type: 'open';
      /** ws://HOST:PORT/PATH */
      readonly url: string;
      readonly plans: readonly ClientPlan[];
      /** Also to `/holdfast/session`. */
      readonly notices: boolean;
      /** Subscriptions are answered by receipts. */
      readonly receipts: boolean;
    }
  | { readonly type: 'leave' };

/** Times are those of `nowMs`. */
export type ClientEvent =
  | {
      readonly type: 'message';
      readonly user: string;
      readonly destination: string;
      readonly n: number;
      readonly atMs: number;
    }
  /** A notice of /holdfast/session. */
  | { readonly type: 'notice'; readonly user: string; readonly body: string; readonly atMs: number }
  /** The WebSocket was closed, and not because this client wanted it. */
  | { readonly type: 'closed'; readonly user: string; readonly code: number; readonly atMs: number }
  /** The server said ERROR. */
  | { readonly type: 'error'; readonly user: string; readonly message: string; readonly atMs: number };

export type FromClients =
  | { readonly type: 'events'; readonly events: readonly ClientEvent[] }
  /** All clients are connected, and a receipt has proven each subscription live, if there are receipts. */
  | { readonly type: 'open' }
  /** All clients have left in order: what the server had for them has come. `stallMs`: see stall.ts. */
  | { readonly type: 'left'; readonly stallMs: number };
