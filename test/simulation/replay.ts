/** Shows what a seed does, and makes a failure small enough to be read. */
import type { Plan } from './plan.ts';
import { planOf } from './plan.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

/** Runs a plan with its trace; true when nothing is broken. */
export async function replay(plan: Plan, isShrunk: boolean, say: (line: string) => void): Promise<boolean> {
  const { violation } = await simulate(plan);
  const shown =
    violation === undefined || !isShrunk ? plan : await shrink(plan, (small) => breaks(small, violation.rule));
  say(describe(shown));
  await simulate(shown, say);
  return violation === undefined;
}

async function breaks(plan: Plan, rule: string): Promise<boolean> {
  return (await simulate(plan)).violation?.rule === rule;
}

/** What a person needs who sees a failing seed: the command, and the trace of the smallest world that still fails. */
export async function explain(seed: number): Promise<string> {
  const lines: string[] = [`seed ${seed} fails; see it with: npm run simulate -- --seed ${seed}`];
  await replay(planOf(seed), true, (line) => lines.push(line));
  lines.push(`when it is mended, add a line to test/simulation/seeds.txt: ${seed}`);
  return lines.join('\n');
}

export function describe(plan: Plan): string {
  const { seed, profile, crashes, fanout, ticker, work, exclusive, numbers, latencyMs, holdBytes, pods } = plan;
  const { users, sayings, faults } = plan;
  const traits = { profile, crashes, fanout, ticker, work, exclusive, numbers, latencyMs, holdBytes, pods };
  return [
    `seed ${seed}: ${Object.entries(traits)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}`,
    ...users.map(({ name, sessions, isLocal, messagesAtMs }) => {
      return `  ${name}: ${sessions} sessions, ${messagesAtMs.length} messages from ${isLocal ? 'the gateway' : 'elsewhere'}`;
    }),
    `  ${sayings.length} frames of clients`,
    ...faults.map(({ atMs, kind, pick, ms }) => `  at ${atMs} ms ${kind} (${pick.toFixed(3)}, ${ms} ms)`),
  ].join('\n');
}
