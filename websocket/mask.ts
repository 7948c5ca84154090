/** Masks, RFC 6455 §5.3: the same operation hides and shows. */

/** From this many octets on, four at a time are faster than one. */
const WORDS_FROM_BYTES = 48;

/**
 * Writes `source` XOR `mask` to `target` from `at` on; both may be the same octets.
 * @param mask four octets, as a big-endian word
 */
export function applyMask(source: Uint8Array, mask: number, target: Uint8Array, at: number): void {
  const octets = [mask >>> 24, (mask >>> 16) & 0xff, (mask >>> 8) & 0xff, mask & 0xff] as const;
  let from = 0;
  if (source.length >= WORDS_FROM_BYTES && (source.byteOffset & 3) === ((target.byteOffset + at) & 3))
    from = words(source, octets, target, at);
  for (let i = from; i < source.length; i++) target[at + i] = (source[i] as number) ^ (octets[i & 3] as number);
}

type Octets = readonly [number, number, number, number];

/** All but the first few octets, up to a whole word, and the last few. @returns where the rest begins */
function words(source: Uint8Array, octets: Octets, target: Uint8Array, at: number): number {
  const head = (4 - (source.byteOffset & 3)) & 3;
  for (let i = 0; i < head; i++) target[at + i] = (source[i] as number) ^ (octets[i & 3] as number);
  const count = (source.length - head) >>> 2;
  const from = new Uint32Array(source.buffer, source.byteOffset + head, count);
  const to = new Uint32Array(target.buffer, target.byteOffset + at + head, count);
  const word = wordOf(octets, head);
  for (let i = 0; i < count; i++) to[i] = (from[i] as number) ^ word;
  return head + count * 4;
}

/** The mask as it lies in memory, beginning with octet `from`. */
function wordOf(octets: Octets, from: number): number {
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) bytes[i] = octets[(from + i) & 3] as number;
  return new Uint32Array(bytes.buffer)[0] as number;
}
