/** Waits, in bounds, until nobody else uses the machine: for benches on a machine that is shared. */
import { cpus } from 'node:os';
import { sleep } from '../test/experiment/clock.ts';

const LOOK_MS = 500;
/** Of all cores together, while the bench itself does nothing. */
const IDLE_SHARE = 0.8;

/** Resolves when the machine was idle for half a second, or after `patienceMs`. */
export async function calm(patienceMs: number): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (performance.now() < untilMs && (await idleShare()) < IDLE_SHARE);
}

async function idleShare(): Promise<number> {
  const before = ticks();
  await sleep(LOOK_MS);
  const after = ticks();
  return (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

function ticks(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, each) => sum + each.idle, 0);
  return { idle, all: idle + times.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0) };
}
