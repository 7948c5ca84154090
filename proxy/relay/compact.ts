/**
 * A view keeps all of what it is a view of: the read that it came in, or the pool that small reads share. Whoever keeps frames for longer than a turn
 * would keep up to 64 KiB for each of them, and count some hundred octets.
 */

/** How much more than themselves octets may keep. */
export const KEPT_FACTOR_MAX = 4;

/** The same octets, on memory of their own when they would keep more than KEPT_FACTOR_MAX times as much. */
export function compact(octets: Uint8Array): Uint8Array {
  return octets.buffer.byteLength > KEPT_FACTOR_MAX * octets.length ? new Uint8Array(octets) : octets;
}
