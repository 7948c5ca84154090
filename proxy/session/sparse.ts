/**
 * A Map and a Set that take memory from their first entry on. V8 gives an empty one room for four entries, 184 bytes, and most of what a
 * session may have to remember it never has to: a dozen of them are empty for as long as it lives.
 */

const NO_ENTRIES = new Map<never, never>();
const NO_VALUES = new Set<never>();

export class SparseMap<K, V> {
  #map: Map<K, V> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  has(key: K): boolean {
    return this.#map?.has(key) ?? false;
  }

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  set(key: K, value: V): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    return this.#map?.delete(key) ?? false;
  }

  keys(): MapIterator<K> {
    return this.#entries.keys();
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries.entries();
  }

  get #entries(): Pick<ReadonlyMap<K, V>, 'keys' | 'values' | 'entries'> {
    return this.#map ?? NO_ENTRIES;
  }
}

export class SparseSet<T> {
  #set: Set<T> | undefined;

  get size(): number {
    return this.#set?.size ?? 0;
  }

  has(value: T): boolean {
    return this.#set?.has(value) ?? false;
  }

  add(value: T): void {
    this.#set ??= new Set();
    this.#set.add(value);
  }

  /** @returns whether it was there */
  delete(value: T): boolean {
    return this.#set?.delete(value) ?? false;
  }

  [Symbol.iterator](): SetIterator<T> {
    return this.#set?.values() ?? NO_VALUES.values();
  }
}
