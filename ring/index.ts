/** The consistent-hash ring over pods that proxies and producers share. No I/O, no clock. */
export { hash } from './hash.ts';
export type { KeyKind } from './keys.ts';
export { MAX_RING_SIZE, moved, Ring, type RingOptions } from './ring.ts';
