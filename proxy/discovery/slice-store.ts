import type { EndpointSlice } from './endpoint-slice.ts';

/** A slice and when it was last written, as far as can be known. */
export interface StoredSlice {
  readonly slice: EndpointSlice;
  /**
   * Rises with every write that was seen. Slices written between two lists share one number: nobody can tell their order, since
   * resource versions only know equality.
   */
  readonly writtenAt: number;
}

/** The slices of one Service, as the API server last told. */
export class SliceStore {
  #byName = new Map<string, StoredSlice>();
  #writes = 0;

  /** Takes over a complete list. A slice that did not change meanwhile keeps its place in time. */
  replace(slices: Iterable<EndpointSlice>): void {
    this.#writes += 1;
    const next = new Map<string, StoredSlice>();
    for (const slice of slices) {
      const known = this.#byName.get(slice.name);
      const unchanged = known !== undefined && sameWrite(known.slice, slice);
      next.set(slice.name, { slice, writtenAt: unchanged ? known.writtenAt : this.#writes });
    }
    this.#byName = next;
  }

  /** A write; one that is told again (a watch that begins anew may) is no newer for it. */
  put(slice: EndpointSlice): void {
    const known = this.#byName.get(slice.name);
    if (known !== undefined && sameWrite(known.slice, slice)) return;
    this.#writes += 1;
    this.#byName.set(slice.name, { slice, writtenAt: this.#writes });
  }

  remove(slice: EndpointSlice): void {
    this.#byName.delete(slice.name);
  }

  all(): StoredSlice[] {
    return [...this.#byName.values()];
  }
}

function sameWrite(a: EndpointSlice, b: EndpointSlice): boolean {
  return a.uid === b.uid && a.resourceVersion === b.resourceVersion;
}
