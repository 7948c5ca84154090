/** The largest memory that a process had under load, as Linux tells it. */
import { readFileSync } from 'node:fs';

const EVERY_MS = 1000;

/** Begins to watch; the result ends it and gives the largest RSS in MB. */
export function watchPeak(pid: number): () => number {
  let peakMB = 0;
  const look = () => {
    peakMB = Math.max(peakMB, rssMB(pid));
  };
  const timer = setInterval(look, EVERY_MS);
  return () => {
    clearInterval(timer);
    return peakMB;
  };
}

function rssMB(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kB ?? 0) / 1024;
}
