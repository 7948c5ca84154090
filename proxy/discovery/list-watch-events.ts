/** All that goes into the list-watch machine and all that comes out. Shells turn effects into requests and answers into events. */
import type { EndpointSlice } from './endpoint-slice.ts';
import type { Failure } from './failure.ts';

export interface ListPage {
  readonly slices: readonly EndpointSlice[];
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continueToken: string | undefined;
}

/** One line of a watch. */
export type WatchEvent =
  | { readonly type: 'put' | 'remove'; readonly slice: EndpointSlice }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Answers carry the generation of the request they belong to; those of a request that was given up are ignored. */
export type ListWatchEvent =
  | { readonly on: 'start' | 'tick' | 'stop' }
  | { readonly on: 'page'; readonly generation: number; readonly page: ListPage }
  | { readonly on: 'opened' | 'ended'; readonly generation: number }
  | { readonly on: 'event'; readonly generation: number; readonly event: WatchEvent }
  | { readonly on: 'failed'; readonly generation: number; readonly failure: Failure };

export interface ListRequest {
  readonly generation: number;
  /** Read the credentials again first. */
  readonly refresh: boolean;
  /** Undefined: everything in one answer. */
  readonly limit: number | undefined;
  readonly continueToken: string | undefined;
}

export interface WatchRequest {
  readonly generation: number;
  readonly refresh: boolean;
  readonly resourceVersion: string;
  /** After which the server ends the watch by itself. */
  readonly timeoutSeconds: number;
}

export type ListWatchEffect =
  | ({ readonly do: 'list' } & ListRequest)
  | ({ readonly do: 'watch' } & WatchRequest)
  /** Give up the request in flight, if there is one. */
  | { readonly do: 'cancel' }
  | { readonly do: 'replace'; readonly slices: readonly EndpointSlice[] }
  | { readonly do: 'put' | 'remove'; readonly slice: EndpointSlice }
  | { readonly do: 'report'; readonly failure: Failure; readonly retryMs: number }
  /** A watch has held after failures. */
  | { readonly do: 'recovered' };
