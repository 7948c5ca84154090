/** What happens when: a list that the seed repeats. Which pod is struck is chosen when it happens, from the same seed. */
import type { Random } from '../experiment/random.ts';

export const KINDS = ['kill', 'restart', 'freeze', 'rolling', 'latency', 'stall', 'half-open', 'reset'] as const;
export type Kind = (typeof KINDS)[number];

export const descriptions: Readonly<Record<Kind, string>> = {
  kill: 'kill -9; a second later off the list and replaced',
  restart: 'kill -9, and again there at once under the same name and address, as a container',
  freeze: 'SIGSTOP, later SIGCONT',
  rolling: 'every pod is replaced, surge 1',
  latency: 'every byte of a pod comes later',
  stall: 'nothing passes for a while, then all of it',
  'half-open': 'everything is swallowed, nothing is closed',
  reset: 'RST to every connection of a pod',
};

/** How long each lasts, in ms: both sides of the 5 s after which a silent pod is left. */
const LASTS: Readonly<Record<Kind, readonly [low: number, high: number]>> = {
  kill: [0, 0],
  restart: [0, 0],
  freeze: [500, 12_000],
  rolling: [0, 0],
  latency: [3_000, 15_000],
  stall: [500, 8_000],
  'half-open': [6_000, 12_000],
  reset: [0, 0],
};

export interface Step {
  readonly kind: Kind;
  /** After the start. */
  readonly atMs: number;
  readonly lastsMs: number;
}

/** From one fault to the next: some come while the last is still being mended. */
const BETWEEN_MS = [2_000, 9_000] as const;

/** Every kind comes once before one comes again, in an order of its own each time. No fault begins past `untilMs`. */
export function scheduleOf(random: Random, untilMs: number): Step[] {
  const steps: Step[] = [];
  let bag: Kind[] = [];
  for (let atMs = random.between(500, 2_000); atMs < untilMs; atMs += random.between(...BETWEEN_MS)) {
    if (bag.length === 0) bag = random.shuffled(KINDS);
    const kind = bag.pop() ?? 'kill';
    steps.push({ kind, atMs: Math.round(atMs), lastsMs: Math.round(random.between(...LASTS[kind])) });
  }
  return steps;
}
