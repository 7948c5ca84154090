/**
 * `holdfast-…` headers and the identity header are said by producers and by the proxy, never by clients. Brokers copy the
 * headers of a SEND to the MESSAGE, so a client that could set `holdfast-id` could make other sessions drop a message they
 * have not seen; and a pod that reads in a SEND what the proxy says in CONNECT would believe the client.
 */
import { type Frame, frameOf, rewrite } from '../../stomp/index.ts';
import type { OwnHeaders, SessionOptions } from '../session/index.ts';

const OWN = ['holdfast-id', 'holdfast-seq', 'holdfast-replay'] as const;

/** The names that a session's client may not say. */
export function ownNames({ dedupHeader }: SessionOptions, { set }: OwnHeaders): string[] {
  return [...new Set([...OWN, dedupHeader, ...set.map(([name]) => name)])];
}

/** The client's frame without them; the same frame where there are none, which is nearly always. */
export function withoutOwnHeaders(frame: Frame, names: readonly string[]): Frame {
  if (!names.some((name) => frame.header(name) !== undefined)) return frame;
  const drop = (name: string) => name.startsWith('holdfast-') || names.includes(name);
  return frameOf(rewrite(frame, { drop }, frame.version), 'client', frame.version);
}
