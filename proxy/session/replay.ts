/**
 * The frames that the proxy makes itself. The client never sees an answer to any of them.
 *
 * Replayed frames are the client's own bytes with a few headers taken out and ours put in front; `holdfast-replay` tells
 * a backend that the frame is a repeat, so that its listeners can leave their side effects out.
 */
import type { Frame, Version } from '../../stomp/index.ts';
import { encode, rewrite } from '../../stomp/index.ts';
import type { LinkCause } from './events.ts';
import type { OwnHeaders } from './options.ts';

const REPLAY = 'holdfast-replay';

/**
 * CONNECT for a link. The first one asks for the versions that the client asks for; a later one is pinned to the version
 * that the client has been told. Heart-beats are ours: the client's are kept by the proxy.
 */
export function connectFor(
  connect: Frame,
  cause: LinkCause,
  pinned: Version | undefined,
  linkBeatMs: number,
  { set, drop }: OwnHeaders,
): Uint8Array {
  const ours = new Set(['heart-beat', REPLAY, ...(pinned === undefined ? [] : ['accept-version'])]);
  return rewrite(
    connect,
    {
      drop: (name) => ours.has(name) || drop(name),
      add: [
        ...(pinned === undefined ? [] : ([['accept-version', pinned]] as const)),
        ['heart-beat', `${linkBeatMs},${linkBeatMs}`],
        ...(cause === 'open' ? [] : ([[REPLAY, cause]] as const)),
        ...set,
      ],
    },
    pinned,
  );
}

/** CONNECTED for the client: the pod's, with the proxy's own heart-beats. */
export function connectedFor(
  connected: Frame,
  sendEveryMs: number,
  expectEveryMs: number,
  version: Version,
): Uint8Array {
  const change = {
    drop: (name: string) => name === 'heart-beat',
    add: [['heart-beat', `${sendEveryMs},${expectEveryMs}`]] as const,
  };
  return rewrite(connected, change, version);
}

/** A client's frame, to be said once more on another link: without the client's receipt, with ours where one is wanted. */
export function repeatOf(frame: Frame, cause: LinkCause, receipt: string | undefined, version: Version): Uint8Array {
  return rewrite(
    frame,
    {
      drop: (name) => name === 'receipt' || name === REPLAY,
      add: [[REPLAY, cause], ...(receipt === undefined ? [] : ([['receipt', receipt]] as const))],
    },
    version,
  );
}

/** A SEND whose receipt a dead link owed: the same frame with the same receipt, marked as a repeat. */
export function resendOf(frame: Frame, version: Version): Uint8Array {
  return rewrite(frame, { drop: (name) => name === REPLAY, add: [[REPLAY, 'recovery']] }, version);
}

/** DISCONNECT always asks for a receipt: it proves that nothing more comes, and Spring answers one without it with ERROR. */
export function disconnect(receipt: string, version: Version): Uint8Array {
  return encode('DISCONNECT', { receipt }, undefined, version);
}

/**
 * What a client has said, fit to be said back to it. STOMP 1.0 has no escapes: a CR that stood there is an octet that few peers
 * survive, and before CONNECTED frames are read by the rules of 1.2, whose escapes may stand for what 1.0 cannot carry.
 */
export function echoed(value: string, version: Version): string {
  return version === '1.0' ? value.replaceAll(/[\r\n]/g, ' ') : value;
}

export function receipt(id: string, version: Version): Uint8Array {
  return encode('RECEIPT', { 'receipt-id': echoed(id, version) }, undefined, version);
}

/** ERROR for the client, made by the proxy: a short message, and in the body what to do. */
export function error(message: string, detail: string, version: Version, receiptId?: string): Uint8Array {
  const answers = receiptId === undefined ? undefined : echoed(receiptId, version);
  return encode('ERROR', { message, 'receipt-id': answers, 'content-type': 'text/plain' }, detail, version);
}
