/**
 * What discovery tells the rest of the proxy: which pods there are and in which state, as immutable snapshots that are pushed.
 * Nobody asks discovery in the path of a frame.
 */

/**
 * `serving`: in the ring. `draining`: terminating but still serving, so out of the ring while its links stay.
 * `unready`: out of the ring, links stay while they work. A pod that is gone is simply absent from the topology.
 */
export type PodState = 'serving' | 'draining' | 'unready';

/** One backend instance. Two snapshots speak of the same pod if and only if the `id` is the same. */
export interface Pod {
  /** The UID in Kubernetes; the name of a static pod; the address where nothing better is known. */
  readonly id: string;
  /** Unique within a topology; the default key of the ring. */
  readonly name: string;
  /** `HOST:PORT`, with brackets around an IPv6 host. */
  readonly address: string;
  readonly state: PodState;
}

export interface Topology {
  /** Sorted by name (by UTF-16 code units, so that every process sorts alike). */
  readonly pods: readonly Pod[];
  /** `static`, `file`, `kubernetes` or `dns`. */
  readonly source: string;
}

/** How well a source knows the truth. What metrics and `/readyz` are made of. */
export interface SourceStatus {
  readonly source: string;
  /** Whether it has ever answered. Never goes back to false: an outage makes a topology stale, not unknown. */
  readonly ready: boolean;
  /** For how long the topology may have been out of date; 0 while healthy. */
  readonly staleMs: number;
  /** What is wrong now and what to do about it; absent while healthy. */
  readonly lastError?: string;
  /** How many things are wrong now; 0 while healthy. What they are is said by the log, the first of them by `lastError`. */
  readonly problems: number;
  /** Failed reads or requests since the start. */
  readonly failures: number;
  /** Kubernetes only: complete lists that were taken over since the start. */
  readonly relists?: number;
  /** Kubernetes only: watches that were opened after the first. */
  readonly watchRestarts?: number;
  /** Kubernetes only: time since the API server last said anything at all (bookmarks included). */
  readonly lastEventAgeMs?: number;
}

export interface TopologySource {
  /**
   * Begins to follow the pods. `onTopology` is called with every changed snapshot, first as soon as the source has answered once,
   * never before `start` has returned, and never after `stop` was called. A source can be started once.
   */
  start(onTopology: (topology: Topology) => void): void;
  /** Releases sockets, watches and timers. May be called twice, and before `start`. */
  stop(): Promise<void>;
  /** @param now milliseconds on the clock that the source was made with (by default `systemClock`, which is `performance.now()`). */
  status(now: number): SourceStatus;
}
