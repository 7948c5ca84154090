/** What a transport carries: a message that has passed `checkMessage`, with its identity. */
export interface Message {
  readonly user: string;
  /** As the client subscribes to it, without `/user`: `/queue/prices`. */
  readonly destination: string;
  readonly body: Uint8Array;
  /** The same over all tries: sessions drop a second one with the same id. */
  readonly id: string;
  /** `<stream>:<n>`, the same over all tries. */
  readonly seq: string;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface PodAddress {
  readonly name: string;
  /** host:port */
  readonly address: string;
}

/**
 * What one try at one pod came to.
 * - `delivered`: the pod has the message (with `receipts: false` over STOMP: it was written).
 * - `no-session`: the pod answers for itself that the user has no session there that listens to the destination.
 * - `unreachable`: no such answer. `ambiguous` says whether the pod may have taken the message all the same.
 * - `refused`: the pod will never take this message.
 * Texts are for people and name pods and statuses, never users.
 */
export type PostResult =
  | 'delivered'
  | 'no-session'
  | { readonly unreachable: string; readonly ambiguous: boolean }
  | { readonly refused: string };

export interface Transport {
  /** Always resolves, and by `deadline` (milliseconds of the transport's clock). Safe to repeat with the same message id. */
  post(pod: PodAddress, message: Message, deadline: number): Promise<PostResult>;
  /** Ends every connection; tries still open end as unreachable. */
  close(): Promise<void>;
}

export function unreachable(reason: string, ambiguous: boolean): PostResult {
  return { unreachable: reason, ambiguous };
}
