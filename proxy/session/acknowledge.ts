/** Where ACK and NACK go: to the link of their delivery, while it is open, and nowhere else. */
import { encode, type Frame } from '../../stomp/index.ts';
import { ackHeaders, forPod, type OpenDelivery } from './acks.ts';
import type { Core } from './core.ts';
import { tornTransaction } from './ending.ts';
import type { LinkId } from './events.ts';
import type { Link } from './link.ts';
import { receipt } from './replay.ts';

/** ACK or NACK of the client. */
export function acknowledge(core: Core, frame: Frame, binary: boolean, now: number): void {
  const delivery = core.acks.take(frame, core.version);
  const link = linkOf(core, delivery);
  if (frame.header('transaction') !== undefined && link !== core.primary) return tornTransaction(core);
  if (link === undefined) return drop(core, frame);
  if (core.profile.answers(frame)) core.receipts.owe(frame, link.id, binary, now);
  if (core.profile.transactions) core.transactions.note(frame, binary);
  core.sendLink(link, delivery === undefined ? frame.bytes : forPod(frame, delivery, core.version), binary);
  acknowledgeOwn(core, link.id);
}

/** Repeats that the client was not told of and that wait for nothing of it any more. */
export function acknowledgeOwn(core: Core, id: LinkId): void {
  const link = core.links.get(id);
  if (link === undefined || link.state.name === 'closing') return;
  for (const delivery of core.acks.takeOwn(id)) {
    core.sendLink(link, encode('ACK', ackHeaders(delivery, core.version), undefined, core.version));
  }
}

/** An id that is not known can be only that of the one link that there ever was: it may have been forgotten. */
function linkOf(core: Core, delivery: OpenDelivery | undefined): Link | undefined {
  if (delivery === undefined) return core.lastLink === 1 ? core.primary : undefined;
  const link = core.links.get(delivery.link);
  return link?.state.name === 'closing' ? undefined : link;
}

/** The broker gives the message out again; the client has its receipt, for there is nothing more to wait for. */
function drop(core: Core, frame: Frame): void {
  core.fact({ type: 'ack-dropped' });
  const asked = frame.header('receipt');
  if (asked !== undefined) core.sendClient(receipt(asked, core.version));
}
