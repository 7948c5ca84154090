/** Milliseconds since 1970 that never jump: the processes of a run compare their times, so they need one clock. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
