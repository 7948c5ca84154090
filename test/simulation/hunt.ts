/** How many seeds it takes to find each planted fault. */
import { PLANTED_FAULTS } from './planted-faults.ts';
import { runShare } from './pool.ts';

export interface Catch {
  readonly name: string;
  /** Undefined: not found within the bound. */
  readonly seeds: number | undefined;
  readonly rule: string;
}

export async function hunt(name: string, max: number): Promise<Catch> {
  const { seeds, failed } = await runShare({ first: 1, step: 1, count: max }, name);
  return { name, seeds: failed === undefined ? undefined : seeds, rule: failed?.rule ?? 'NOT FOUND' };
}

/** Prints the table; true when every fault was found. Two at a time. */
export async function huntAll(max: number, say: (line: string) => void): Promise<boolean> {
  const width = Math.max(...PLANTED_FAULTS.map(({ name }) => name.length));
  say(`${'planted fault'.padEnd(width)}  seeds  found by`);
  const waiting = [...PLANTED_FAULTS];
  const missed: string[] = [];
  const work = async () => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
      const { name, seeds, rule } = await hunt(fault.name, max);
      say(`${name.padEnd(width)}  ${String(seeds ?? '-').padStart(5)}  ${rule}`);
      if (seeds === undefined) missed.push(name);
    }
  };
  await Promise.all([work(), work()]);
  say(
    missed.length === 0 ? `all ${PLANTED_FAULTS.length} found` : `not found within ${max} seeds: ${missed.join(', ')}`,
  );
  return missed.length === 0;
}
