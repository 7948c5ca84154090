/** The end of a session: the only place that closes a client, always with a reason of the list in effects.ts. */
import type { Core } from './core.ts';
import type { EndReason } from './effects.ts';
import type { Link } from './link.ts';
import { OWN_RECEIPT } from './options.ts';
import { disconnect, error } from './replay.ts';

export interface Ending {
  readonly why: EndReason;
  readonly code: number;
  readonly reason: string;
  /** Said to the client in an ERROR frame before the close; `receiptId` when it answers a frame that asked for one. */
  readonly error?: { readonly message: string; readonly detail: string; readonly receiptId?: string | undefined };
}

export function end(core: Core, ending: Ending): void {
  if (core.phase === 'ended') return;
  if (ending.error !== undefined) {
    const { message, detail, receiptId } = ending.error;
    core.sendClient(error(message, detail, core.version, receiptId));
  }
  const wasLeaving = core.phase === 'leaving';
  core.phase = 'ended';
  for (const link of core.links) closeLink(core, link, wasLeaving && link === core.primary);
  core.links.clear();
  core.primary = undefined;
  core.next = undefined;
  core.ordering = undefined;
  core.outage = undefined;
  core.breakingFor = undefined;
  core.emit({ type: 'close-client', code: ending.code, reason: ending.reason, why: ending.why });
  const lost = core.sequences.missing();
  if (lost > 0) core.fact({ type: 'sequence', kind: 'lost', count: lost });
  core.fact({ type: 'ended', why: ending.why });
}

/** The client broke the rules: which one, and what it should do. */
export function refuse(core: Core, message: string, detail: string, receiptId?: string): void {
  end(core, { why: 'client-protocol', code: 1002, reason: message, error: { message, detail, receiptId } });
}

/** What a lost link had of a transaction is undone or unknown; nobody but the client can begin it again. */
export function tornTransaction(core: Core): void {
  const detail = 'The connection to the backend was lost in a transaction; what it held may be undone. Connect again.';
  const error = { message: 'transaction lost', detail };
  end(core, { why: 'continuity', code: 1011, reason: 'transaction lost', error });
}

/** @param isTold the pod has had its DISCONNECT */
function closeLink(core: Core, link: Link, isTold: boolean): void {
  if (link.state.name === 'live' && !isTold)
    core.sendLink(link, disconnect(core.ownReceipt(OWN_RECEIPT), core.version));
  core.emit({ type: 'close-link', link: link.id, how: link.state.name === 'dialing' ? 'abort' : 'close' });
}
