/**
 * `holdfast-…` headers are said by producers and by the proxy, never by clients. Brokers copy the headers of a SEND to the
 * MESSAGE, so a client that could set `holdfast-id` could make other sessions drop a message they have not seen.
 */
import { type Frame, frameOf, rewrite } from '../../stomp/index.ts';

const OWN = ['holdfast-id', 'holdfast-seq', 'holdfast-replay'] as const;

/** The client's frame without them; the same frame where there are none, which is nearly always. */
export function withoutOwnHeaders(frame: Frame, dedupHeader: string): Frame {
  const isOwn = OWN.some((name) => frame.header(name) !== undefined) || frame.header(dedupHeader) !== undefined;
  if (!isOwn) return frame;
  const drop = (name: string) => name.startsWith('holdfast-') || name === dedupHeader;
  return frameOf(rewrite(frame, { drop }, frame.version), 'client', frame.version);
}
