/** Keys of a ring: checked, without repeats, in one order that every language can reproduce. */

export type KeyKind = 'name' | 'address';

/**
 * The keys sorted by code point, which is the order of their UTF-8 octets, without repeats.
 *
 * @throws RangeError for a key that is empty, holds a line feed (it separates keys in `version`) or is not well-formed UTF-16.
 */
export function sortedKeys(keys: Iterable<string>): string[] {
  const distinct = [...new Set(keys)];
  for (const key of distinct) checkKey(key);
  return distinct.sort(byCodePoint);
}

function checkKey(key: string): void {
  if (key === '') throw new RangeError('a ring key is empty: each pod needs a name (or an address)');
  if (key.includes('\n')) throw new RangeError(`ring key ${JSON.stringify(key)} contains a line feed`);
  if (!key.isWellFormed()) throw new RangeError(`ring key ${JSON.stringify(key)} contains a lone surrogate`);
}

function byCodePoint(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i === a.length || i === b.length) return a.length - b.length;
  return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
}

/** Surrogates stand for code points above all others, but below U+E000 as UTF-16 units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
