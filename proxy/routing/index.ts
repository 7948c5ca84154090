/** Topology, ring and pace: where every session belongs and when it may go there. */
export type { Decisions, Grant, LinkCause, SessionId } from './decisions.ts';
export type { Governed, RoutingOptions } from './options.ts';
export { Routing } from './routing.ts';
