/** Which frames pass by the session without being looked at more than once. */
import { type Decoder, type DecoderLimits, Glance } from '../../stomp/index.ts';
import type { WholeFrame } from '../../websocket/index.ts';
import type { RelayOptions } from './host.ts';

/** Values of STOMP 1.0 begin behind their blanks, so one with blanks may be any. */
const OWN_DESTINATIONS = ['destination:/holdfast/', 'destination: ', 'destination:\t'];

/** One for each set of names and limits, which the configuration gives: sessions share them. */
const known = new Map<string, Glance>();

export interface Glances {
  /** Of a client: it changes nothing in the session (`isPlainSend`), and says none of the names that a client may not say. */
  readonly send: Glance;
  /** Of a pod: the session has nothing to check, neither an id that may come twice nor a sequence number. */
  readonly message: Glance;
}

export function glancesOf(
  { session, podLimits }: RelayOptions,
  ownNames: readonly string[],
  clientLimits: DecoderLimits,
): Glances {
  const lines = ['receipt', 'transaction', ...ownNames].map((name) => `${name}:`);
  return {
    send: glance('SEND', [...lines, ...OWN_DESTINATIONS], clientLimits),
    message: glance('MESSAGE', [`${session.dedupHeader}:`, 'holdfast-seq:'], podLimits),
  };
}

function glance(command: 'SEND' | 'MESSAGE', watched: readonly string[], limits: Partial<DecoderLimits>): Glance {
  const name = JSON.stringify([command, watched, limits]);
  const made = known.get(name) ?? new Glance({ command, watched, limits });
  known.set(name, made);
  return made;
}

/** Is the frame's payload one whole STOMP frame that nobody has to see? Not where one has begun that is not whole yet. */
export function isPlain(glance: Glance, decoder: Decoder, { octets, payloadAt, to }: WholeFrame): boolean {
  return decoder.isBetween && glance.isPlain(octets, payloadAt, to);
}
