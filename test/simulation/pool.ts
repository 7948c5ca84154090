/** Shares seeds out to threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Seeds `first`, `first + step`, …, `count` of them. */
export interface Share {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export interface Tally {
  readonly seeds: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly failed: { readonly seed: number; readonly rule: string; readonly message: string } | undefined;
}

export interface PoolOptions {
  readonly first: number;
  readonly count: number;
  readonly faultName?: string;
  readonly threads?: number;
  readonly onProgress?: (done: number) => void;
}

/** Runs seeds on all cores; a thread stops at its first failure, and the lowest failing seed is told. */
export async function runPool({ first, count, faultName, threads, onProgress }: PoolOptions): Promise<Tally> {
  const step = Math.max(1, Math.min(count, threads ?? availableParallelism()));
  const progress = new Array<number>(step).fill(0);
  const shares = progress.map((_, i) => ({ first: first + i, step, count: Math.floor((count - i + step - 1) / step) }));
  const tallies = await Promise.all(
    shares.map((share, i) =>
      runShare(share, faultName, (done) => {
        progress[i] = done;
        onProgress?.(progress.reduce((sum, each) => sum + each, 0));
      }),
    ),
  );
  const failures = tallies.flatMap(({ failed }) => failed ?? []).sort((a, b) => a.seed - b.seed);
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0);
  return {
    seeds: sum(({ seeds }) => seeds),
    steps: sum(({ steps }) => steps),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    failed: failures[0],
  };
}

export function runShare(
  share: Share,
  faultName?: string,
  onProgress: (done: number) => void = () => {},
): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { faultName, share } });
    worker.on('message', ({ tally, done }: { tally?: Tally; done?: number }) => {
      if (done !== undefined) onProgress(done);
      if (tally !== undefined) resolve(tally);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a thread ended with ${code} before its share was done`)));
  });
}
