/** Chaos: see --help. */
import { runCommand } from '../support/command.ts';
import { HELP, readOptions } from './options.ts';
import { type Rest, slopePerHour, warm } from './rest.ts';
import { type ChaosOptions, chaos, type Outcome } from './run.ts';
import { broken } from './verdict.ts';

/** Faults that are printed; the counts tell the rest. */
const SHOWN_MAX = 20;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(options: ChaosOptions): Promise<number> {
  const { clients, rate, pods, seed, durationMs } = options;
  say(`${clients} clients, ${rate} messages/s, ${pods} pods, ${durationMs / 60_000} minutes, seed ${seed}`);
  const outcome = await chaos({ ...options, onLine: say });
  const problems = broken(outcome, durationMs);
  tell(outcome, problems);
  const { faults: _faults, strikes, unannounced, ...figures } = outcome;
  const json = { ...figures, strikes: countByKind(strikes), unannounced: unannounced.length };
  say(JSON.stringify({ ok: problems.length === 0, problems, clients, rate, pods, seed, durationMs, ...json }));
  return problems.length === 0 ? 0 : 1;
}

function tell(outcome: Outcome, problems: readonly string[]): void {
  const { tally, rests } = outcome;
  const round = Math.round;
  say('');
  say(`faults       ${outcome.strikes.length} on pods, ${outcome.skipped} left out because too few pods were well`);
  say(`messages     ${tally.received}/${tally.sent} received at ${round(outcome.messagesPerSecond)}/s`);
  say(
    `             ${tally.lost} lost, ${outcome.unannounced.length} of them unannounced, ${tally.refused} refused ${JSON.stringify(outcome.refused)}`,
  );
  say(
    `             ${tally.duplicated} twice, ${tally.reordered - outcome.late} swapped, ${outcome.late} late, ${tally.unknown} never sent`,
  );
  say(
    `clients      ${outcome.closes} closes, ${Object.values(outcome.errors).reduce((sum, count) => sum + count, 0)} ERROR frames, ${outcome.dead} dead at the end`,
  );
  say(`moves        ${outcome.moves}, ${outcome.gaps} of them unproven`);
  say(`live again   ${JSON.stringify(outcome.liveAgainMs)} ms, the longest of each`);
  say(
    `delay        ${round(tally.delayMs)} ms at most, of which the machine may have stood still ${round(outcome.stallMs)}`,
  );
  const atRest = (value: (rest: Rest) => number) =>
    `${rests.map((each) => round(value(each))).join(' → ')} at rest, ${round(slopePerHour(warm(rests), value))} an hour in the second half`;
  say(`heap         ${atRest(({ heapMB }) => heapMB)} (MB)`);
  say(`RSS          ${atRest(({ rssMB }) => rssMB)} (MB), peak ${round(outcome.peakRssMB)}`);
  say(`descriptors  ${atRest(({ descriptors }) => descriptors)}`);
  for (const problem of problems) say(`NOT KEPT     ${problem}`);
  for (const { kind, user, destination, n, atMs } of outcome.faults.slice(0, SHOWN_MAX))
    say(`  ${kind}: ${user} ${destination} ${n} at ${new Date(atMs).toISOString()}`);
}

function countByKind(strikes: Outcome['strikes']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of strikes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

process.exitCode = await runCommand({ name: 'chaos', help: HELP, readOptions, run: main }, process.argv.slice(2));
