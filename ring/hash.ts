/**
 * xxHash64 with seed 0 of the UTF-8 octets of a text.
 *
 * The library hashes in WebAssembly and can only be instantiated asynchronously; the top-level await here makes everything
 * that imports this module synchronous to use.
 */
import xxhash from 'xxhash-wasm';

const { h64 } = await xxhash();

/** The hash of `text`, 0n … 2n ** 64n - 1n. A lone surrogate counts as U+FFFD. */
export function hash(text: string): bigint {
  return h64(text);
}
