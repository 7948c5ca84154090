import { setTimeout as timeout } from 'node:timers/promises';

/** Waits; but a process that has nothing else to do ends meanwhile. */
export async function pause(ms: number): Promise<void> {
  await timeout(ms, undefined, { ref: false });
}
