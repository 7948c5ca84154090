/** What the proxy has when nothing happens: memory without garbage, and descriptors. Under load both say nothing of a leak. */
import { readdirSync } from 'node:fs';
import { type Child, jsonOf } from '../experiment/child.ts';
import { nowMs } from '../experiment/clock.ts';

export interface Rest {
  readonly atMs: number;
  /** Heap in use after a full collection, and buffers outside of it. */
  readonly heapMB: number;
  readonly rssMB: number;
  readonly descriptors: number;
}

/** Flags of the Node whose memory is asked for. */
export const MEMORY_FLAGS = ['--expose-gc', `--import=${new URL('memory-main.ts', import.meta.url)}`];

const BYTES_PER_MB = 1024 * 1024;

export function descriptorsOf({ pid }: Child): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** @param process started with MEMORY_FLAGS */
export async function rest(process: Child): Promise<Rest> {
  const answer = process.line((line) => {
    const { heapUsed, external, rss } = jsonOf(line) ?? {};
    return typeof heapUsed === 'number' ? { bytes: heapUsed + Number(external), rss: Number(rss) } : undefined;
  });
  process.signal('SIGUSR2');
  const { bytes, rss } = await answer;
  const descriptors = descriptorsOf(process);
  return { atMs: nowMs(), heapMB: bytes / BYTES_PER_MB, rssMB: rss / BYTES_PER_MB, descriptors };
}

/** The second half of them: caches are warm, code is compiled, and windows are full by then. */
export function warm(rests: readonly Rest[]): readonly Rest[] {
  return rests.slice(Math.floor(rests.length / 2));
}

/** Change in an hour, by least squares. */
export function slopePerHour(rests: readonly Rest[], value: (rest: Rest) => number): number {
  const hours = rests.map(({ atMs }) => (atMs - (rests[0]?.atMs ?? 0)) / 3_600_000);
  const values = rests.map(value);
  const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / Math.max(1, list.length);
  const [meanX, meanY] = [mean(hours), mean(values)];
  const spread = hours.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return 0;
  return hours.reduce((sum, x, index) => sum + (x - meanX) * ((values[index] ?? 0) - meanY), 0) / spread;
}
