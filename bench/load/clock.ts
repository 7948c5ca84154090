/** Milliseconds of the machine's monotonic clock: the same in every process, and never set by anybody. */

// Before the two are compared: its first call loads what is behind it, which takes milliseconds.
performance.now();
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function clockMs(): number {
  return OFFSET_MS + performance.now();
}

/** The same in µs, whole. */
export function clockMicros(): number {
  return Math.round(clockMs() * 1000);
}
