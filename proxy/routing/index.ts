/** Topology, ring and pace: where every session belongs and when it may go there. */
export type { Decisions, Governed, Grant, LinkCause, RoutingOptions, SessionId } from './routing.ts';
export { Routing } from './routing.ts';
