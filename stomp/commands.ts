import { same, utf8 } from './bytes.ts';

/** Who speaks the frames that a decoder reads. */
export type Peer = 'client' | 'server';

const NAMES: Readonly<Record<Peer, readonly string[]>> = {
  // The most frequent first: the list is searched in order.
  client: [
    'SEND',
    'ACK',
    'NACK',
    'SUBSCRIBE',
    'UNSUBSCRIBE',
    'BEGIN',
    'COMMIT',
    'ABORT',
    'CONNECT',
    'STOMP',
    'DISCONNECT',
  ],
  server: ['MESSAGE', 'RECEIPT', 'ERROR', 'CONNECTED'],
};

const table = (peer: Peer) => NAMES[peer].map((name) => ({ name, bytes: utf8(name) }));
const COMMANDS = { client: table('client'), server: table('server') };

/** Octets of the longest command line, with a CR that STOMP 1.2 allows: more without a line end is no command. */
export const MAX_COMMAND_LINE = 'UNSUBSCRIBE\r'.length;

/** The command that stands in these octets, or undefined when this peer may not send it. */
export function commandAt(peer: Peer, bytes: Uint8Array, from: number, to: number): string | undefined {
  for (const command of COMMANDS[peer]) if (same(bytes, from, to, command.bytes)) return command.name;
  return undefined;
}

/** STOMP 1.1 and 1.2, "Body": only these may have one. */
export function mayHaveBody(command: string): boolean {
  return command === 'SEND' || command === 'MESSAGE' || command === 'ERROR';
}

/** STOMP 1.1 and 1.2, "Value Encoding": never escaped, to stay readable for 1.0 peers. STOMP is a CONNECT by another name. */
export function isEscaped(command: string): boolean {
  return command !== 'CONNECT' && command !== 'CONNECTED' && command !== 'STOMP';
}
