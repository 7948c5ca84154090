/** The topic measurement: see --help. */
import { HELP, readOptions } from './options.ts';
import { runTopic, type TopicOptions } from './run.ts';

const BAD_USAGE = 2;

async function main(argv: readonly string[]): Promise<number> {
  const options = optionsOf(argv);
  if (typeof options === 'number') return options;
  const { tally, moved } = await runTopic(options);
  const { sent, received, lost, duplicated, reordered, delayMs } = tally;
  const ok = lost + duplicated + reordered === 0;
  process.stdout.write(
    `${JSON.stringify({ ok, ...options, moved, sent, received, lost, duplicated, reordered, delayMs: Math.round(delayMs) })}\n`,
  );
  return ok ? 0 : 1;
}

function optionsOf(argv: readonly string[]): TopicOptions | number {
  try {
    const options = readOptions(argv);
    if (options !== undefined) return options;
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    process.stderr.write(`topic: ${error instanceof Error ? error.message : error}\n(--help lists everything)\n`);
    return BAD_USAGE;
  }
}

process.exitCode = await main(process.argv.slice(2));
