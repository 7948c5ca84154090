/** A reader, and all that it has told. */
import { FrameReader, type ReaderOptions } from '../../websocket/index.ts';

export interface Saw {
  readonly messages: readonly { readonly bytes: Buffer; readonly binary: boolean }[];
  readonly pings: readonly Buffer[];
  readonly pongs: number;
  /** A close frame, or a fault with its rule. */
  readonly end: { readonly code: number; readonly reason: string; readonly rule?: string } | undefined;
}

export function read(chunks: readonly Uint8Array[], options: ReaderOptions): Saw {
  const messages: { bytes: Buffer; binary: boolean }[] = [];
  const pings: Buffer[] = [];
  let pongs = 0;
  const ends: NonNullable<Saw['end']>[] = [];
  const reader = new FrameReader(options, {
    onMessage: (bytes, binary) => messages.push({ bytes: Buffer.from(bytes), binary }),
    onPing: (bytes) => pings.push(Buffer.from(bytes)),
    onPong: () => pongs++,
    onClose: (code, reason) => ends.push({ code, reason }),
    onFault: ({ code, rule, reason }) => ends.push({ code, rule, reason }),
  });
  for (const chunk of chunks) reader.push(Uint8Array.from(chunk));
  if (ends.length > 1) throw new Error(`it ended ${ends.length} times`);
  return { messages, pings, pongs, end: ends[0] };
}

const LONG = 300;

/** The octets in one chunk, in single octets (if they are not too many), and cut in two at each of the first places. */
export function cuttings(octets: Uint8Array): Uint8Array[][] {
  const places = Array.from({ length: Math.min(20, Math.max(0, octets.length - 1)) }, (_, i) => i + 1);
  return [
    [octets],
    ...(octets.length > LONG ? [] : [Array.from(octets, (octet) => Uint8Array.of(octet))]),
    ...places.map((at) => [octets.subarray(0, at), octets.subarray(at)]),
  ];
}
