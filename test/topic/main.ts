/** The topic measurement: see --help. */
import { runCommand } from '../support/command.ts';
import { HELP, readOptions } from './options.ts';
import { runTopic, type TopicOptions } from './run.ts';

async function main(options: TopicOptions): Promise<number> {
  const { tally, moved } = await runTopic(options);
  const { sent, received, lost, duplicated, reordered, delayMs } = tally;
  const ok = lost + duplicated + reordered === 0;
  process.stdout.write(
    `${JSON.stringify({ ok, ...options, moved, sent, received, lost, duplicated, reordered, delayMs: Math.round(delayMs) })}\n`,
  );
  return ok ? 0 : 1;
}

process.exitCode = await runCommand({ name: 'topic', help: HELP, readOptions, run: main }, process.argv.slice(2));
