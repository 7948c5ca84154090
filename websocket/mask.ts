/** Masks, RFC 6455 §5.3: the same operation hides and shows. */

/** From this many octets on, four at a time are faster than one. */
const WORDS_FROM_BYTES = 48;

/**
 * Writes [from, to) of `source` XOR `mask` to `target` from `at` on; both may be the same octets.
 * @param mask four octets, as a big-endian word
 */
export function applyMask(
  source: Uint8Array,
  from: number,
  to: number,
  mask: number,
  target: Uint8Array,
  at: number,
): void {
  const isAligned = ((source.byteOffset + from) & 3) === ((target.byteOffset + at) & 3);
  const done = to - from >= WORDS_FROM_BYTES && isAligned ? words(source, from, to, mask, target, at) : 0;
  octets(source, from, from + done, to, mask, target, at);
}

/** From octet `next` on, one by one. */
function octets(
  source: Uint8Array,
  from: number,
  next: number,
  to: number,
  mask: number,
  target: Uint8Array,
  at: number,
): void {
  for (let i = next; i < to; i++) {
    const octet = i - from;
    target[at + octet] = (source[i] as number) ^ (mask >>> (24 - 8 * (octet & 3)));
  }
}

/** All but the last few octets, up to the first whole word one by one. @returns how many */
function words(source: Uint8Array, from: number, to: number, mask: number, target: Uint8Array, at: number): number {
  const head = (4 - ((source.byteOffset + from) & 3)) & 3;
  octets(source, from, from, from + head, mask, target, at);
  const count = (to - from - head) >>> 2;
  const read = new Uint32Array(source.buffer, source.byteOffset + from + head, count);
  const written = new Uint32Array(target.buffer, target.byteOffset + at + head, count);
  const word = wordOf(mask, head);
  for (let i = 0; i < count; i++) written[i] = (read[i] as number) ^ word;
  return head + count * 4;
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The mask as it lies in memory, beginning with its octet `from`. */
function wordOf(mask: number, from: number): number {
  const turned = from === 0 ? mask : (mask << (8 * from)) | (mask >>> (32 - 8 * from));
  if (!isLittleEndian) return turned;
  return (turned << 24) | ((turned & 0xff00) << 8) | ((turned >>> 8) & 0xff00) | (turned >>> 24);
}
