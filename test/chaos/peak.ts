/** Memory and descriptors of a process over time, as Linux tells them. */
import { readdirSync, readFileSync } from 'node:fs';
import { nowMs } from '../experiment/clock.ts';

export interface Sample {
  readonly atMs: number;
  readonly rssMB: number;
  readonly descriptors: number;
}

const EVERY_MS = 1000;
/** Samples that are kept: past it every second one goes, so that hours cost no more than minutes. */
const SAMPLES_MAX = 4000;

export class Resources {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #peakMB = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#keep(this.now()), EVERY_MS);
  }

  now(): Sample {
    return { atMs: nowMs(), rssMB: rssMB(this.#pid), descriptors: readdirSync(`/proc/${this.#pid}/fd`).length };
  }

  get peakMB(): number {
    return this.#peakMB;
  }

  /** By least squares over the second half of the time, when caches are warm: change in an hour. */
  slopes(): { readonly rssMBPerHour: number; readonly descriptorsPerHour: number } {
    const half = this.#samples.slice(Math.floor(this.#samples.length / 2));
    return {
      rssMBPerHour: slopePerHour(half, ({ rssMB }) => rssMB),
      descriptorsPerHour: slopePerHour(half, ({ descriptors }) => descriptors),
    };
  }

  /** The median of RSS in a part of the time, from 0 to 1. */
  medianMB(from: number, to: number): number {
    const part = this.#samples.slice(
      Math.floor(this.#samples.length * from),
      Math.max(1, Math.ceil(this.#samples.length * to)),
    );
    return part.map(({ rssMB }) => rssMB).sort((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #keep(sample: Sample): void {
    this.#peakMB = Math.max(this.#peakMB, sample.rssMB);
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_MAX) this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
  }
}

function rssMB(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kB ?? 0) / 1024;
}

/** Also for times in the far past, so they are taken from the first one. */
export function slopePerHour<T extends { readonly atMs: number }>(
  points: readonly T[],
  value: (point: T) => number,
): number {
  const hours = points.map(({ atMs }) => (atMs - (points[0]?.atMs ?? 0)) / 3_600_000);
  const values = points.map(value);
  const mean = (list: readonly number[]) => list.reduce((sum, each) => sum + each, 0) / Math.max(1, list.length);
  const [meanX, meanY] = [mean(hours), mean(values)];
  const spread = hours.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) return 0;
  return hours.reduce((sum, x, index) => sum + (x - meanX) * ((values[index] ?? 0) - meanY), 0) / spread;
}
