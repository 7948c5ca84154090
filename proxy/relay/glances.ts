/** Which frames pass by the session, or are only shown by their marks, without being looked at more than once. */
import { checkedLimits, type Decoder, type DecoderLimits, Glance } from '../../stomp/index.ts';
import type { WholeFrame } from '../../websocket/index.ts';
import type { MessageMarks } from '../session/index.ts';
import { FrameRuns } from './frame-runs.ts';
import type { RelayOptions } from './host.ts';

/** Values of STOMP 1.0 begin behind their blanks, so one with blanks may be any. */
const OWN_DESTINATIONS = ['destination:/holdfast/', 'destination: ', 'destination:\t'];

/** One for each set of names and limits, which the configuration gives: sessions share them. */
const known = new WeakMap<RelayOptions, Map<string, Glances>>();

export interface Glances {
  /** The names that a client may not say. */
  readonly ownNames: readonly string[];
  /** Of a client: it changes nothing in the session (`isPlainSend`), and says none of the names that a client may not say. */
  readonly send: Glance;
  /** Of a pod: what the session has to check of it are its marks (`marksIn`). */
  readonly message: Glance;
  /** Of a pod: what has no marks. */
  readonly messages: FrameRuns;
}

export function glancesOf(
  options: RelayOptions,
  ownNames: readonly string[],
  clientLimits: Readonly<DecoderLimits>,
): Glances {
  const shared = known.get(options) ?? new Map<string, Glances>();
  known.set(options, shared);
  const name = JSON.stringify([ownNames, clientLimits]);
  const glances = shared.get(name) ?? made(options, ownNames, clientLimits);
  shared.set(name, glances);
  return glances;
}

function made({ session, podLimits }: RelayOptions, ownNames: readonly string[], limits: DecoderLimits): Glances {
  const { marks, besides } = marked(session.dedupHeader);
  const lines = ['receipt', 'transaction', ...ownNames].map((name) => `${name}:`);
  return {
    ownNames,
    send: new Glance({ command: 'SEND', watched: [...lines, ...OWN_DESTINATIONS], limits }),
    message: new Glance({ command: 'MESSAGE', watched: [], marks, besides, limits: podLimits }),
    messages: new FrameRuns(checkedLimits(podLimits), marks),
  };
}

function marked(dedupHeader: string) {
  return { marks: [dedupHeader, 'holdfast-seq'], besides: ['subscription', 'destination'] };
}

/** Of the message that was plain at the last look; undefined when there is nothing to check, neither an id that may come twice nor a number. */
export function marksIn(message: Glance): MessageMarks | undefined {
  if (!message.isMarked) return undefined;
  return {
    id: message.valueOf(0, ascii),
    sequence: message.valueOf(1, ascii),
    subscription: message.valueOf(2, ascii),
    destination: message.valueOf(3, ascii),
  };
}

/** A fraction of what a TextDecoder takes for a few octets. */
function ascii(octets: Uint8Array, from: number, to: number): string {
  return Buffer.prototype.latin1Slice.call(octets, from, to);
}

/** Is the frame's payload one whole STOMP frame that nobody has to see? Not where one has begun that is not whole yet. */
export function isPlain(glance: Glance, decoder: Decoder, { octets, payloadAt, to }: WholeFrame): boolean {
  return decoder.isBetween && glance.isPlain(octets, payloadAt, to);
}
