/** What a fuzzer has to say, and how it repeats a property in batches that a seed repeats. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';

export interface Report {
  readonly target: string;
  /** What was tried, in the word of the target: frames, sockets, … */
  readonly cases: number;
  readonly unit: string;
  readonly seconds: number;
  /** What broke, with all that is needed to see it again. */
  readonly failures: readonly string[];
  /** Heap after the first tenth and at the end, after a collection each; undefined where another process did the work. */
  readonly heapMB?: readonly [number, number];
  readonly more?: Readonly<Record<string, unknown>>;
}

/** More heap than this at the end than after the first tenth is a leak: caches of the compiler take less. */
export const HEAP_GROWTH_MAX_MB = 16;
/** Failures that are kept: the first ones tell what is to be mended. */
export const FAILURES_MAX = 5;

/** Characters of a counterexample that are kept: the seed and the path show all of it again. */
const REPORT_MAX = 3_000;

/** Runs that one fast-check call makes: it keeps what it needs to shrink, so that hours need batches. */
const BATCH_RUNS = 2_000;

export interface Batches {
  /** A property that counts its own cases. */
  readonly property: fc.IRawProperty<unknown>;
  readonly seed: number;
  /** Goes on until this is true; looked at between batches. */
  readonly isEnough: () => boolean;
  readonly runs?: number;
}

/** Sync or async properties; each batch has a seed of its own, which a failure names. */
export async function inBatches({ property, seed, isEnough, runs = BATCH_RUNS }: Batches): Promise<string[]> {
  const failures: string[] = [];
  for (let batch = 0; !isEnough() && failures.length < FAILURES_MAX; batch++) {
    const details = await fc.check(property as fc.IAsyncProperty<unknown>, { seed: seed + batch, numRuns: runs });
    if (!details.failed) continue;
    const cause =
      details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
    failures.push(`seed ${seed + batch}: ${(fc.defaultReportMessage(details) ?? '').slice(0, REPORT_MAX)}\n${cause}`);
  }
  return failures;
}

/** Heap in use after a collection. */
export function heapMB(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Measures around work that tells how far it is, from 0 to 1. */
export class HeapWatch {
  #warm: number | undefined;

  at(done: number): void {
    if (this.#warm === undefined && done >= 0.1) this.#warm = heapMB();
  }

  get figures(): readonly [number, number] {
    const end = heapMB();
    return [this.#warm ?? end, end];
  }
}

/** A leak, in words. */
export function leaks(heap: readonly [number, number]): string[] {
  const [warm, end] = heap;
  return end - warm > HEAP_GROWTH_MAX_MB ? [`heap grew from ${warm.toFixed(1)} to ${end.toFixed(1)} MB`] : [];
}
