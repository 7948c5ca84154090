/** CPU time of work in this process: on a machine that is shared it says more than the clock on the wall. */

const US_PER_MS = 1000;

/** Median over runs, in ms. */
export function medianCpuMs(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / US_PER_MS;
  }).sort((a, b) => a - b);
  return times[Math.floor(runs / 2)] ?? 0;
}
