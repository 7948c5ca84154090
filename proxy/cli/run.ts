import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Command, CommanderError, type Help, InvalidArgumentError, Option } from 'commander';
import { checkCommand } from './check.ts';
import { configOptions } from './config-options.ts';
import type { ExitCode, Host } from './host.ts';
import type { Programs } from './programs.ts';
import { type RingFlags, ringCommand } from './ring.ts';
import { serveCommand } from './serve.ts';
import { untilStopped } from './until-stopped.ts';

export interface RunOptions {
  readonly host: Host;
  readonly programs: Programs;
}

/** Runs one command to its end. `argv` is what stands behind `holdfast`. Never throws. */
export async function run(argv: readonly string[], { host, programs }: RunOptions): Promise<ExitCode> {
  let code: ExitCode = 0;
  const ends = (outcome: ExitCode) => {
    code = outcome;
  };
  const program = createProgram(host);
  configured(program.command('serve'), 'Run the proxy.').action(async (_, command: Command) =>
    ends(await serveCommand(command.args, host, programs)),
  );
  configured(program.command('check'), 'Check the configuration of serve, and print what would be in force.').action(
    (_, command: Command) => ends(checkCommand(command.args, host)),
  );
  ringOptions(program.command('ring')).action((flags: RingFlags) => ends(ringCommand(flags, host)));
  program
    .command('start')
    .description('Try it out: three pods of our own and a proxy in front of them.')
    .action(async () => ends(await untilStopped(host, () => programs.start())));
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    return outcomeOf(error, host);
  }
  return code;
}

function createProgram(host: Host): Command {
  return new Command('holdfast')
    .description('A proxy that keeps STOMP-over-WebSocket sessions while the pods behind it come and go.')
    .version(version())
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(holdfast --help lists commands and options)')
    .configureOutput({ writeOut: (text) => host.stdout.write(text), writeErr: (text) => host.stderr.write(text) })
    .exitOverride();
}

/** A command with the flags of the configuration: commander shows them, loadConfig reads them. */
function configured(command: Command, description: string): Command {
  const shown = configOptions();
  return command
    .description(description)
    .usage('[--config FILE] [flags]')
    .allowUnknownOption()
    .allowExcessArguments()
    .configureHelp({ visibleOptions: () => shown, formatItem: (term, _, text, help) => item(term, text, help) })
    .addHelpText('after', FOOTER);
}

const FOOTER = `
The same keys stand in the YAML file (--handover-drain-max is drain-max under handover) and in the environment
(HOLDFAST_HANDOVER_DRAIN_MAX). Exit codes: 0 done, 1 failed while running, 2 usage or configuration.`;

/** The flag on a line of its own: the longest is wider than half a terminal. */
function item(term: string, text: string, help: Help): string {
  const indent = ' '.repeat(6);
  return `  ${term}\n${indent}${help.boxWrap(text, 100).replaceAll('\n', `\n${indent}`)}`;
}

function ringOptions(command: Command): Command {
  return command
    .description('Show which pod owns whom, how evenly, and what would move.')
    .requiredOption('--pods <a,b,c>', 'the pods on the ring', names)
    .option(
      '--user <name>',
      'show who owns this user, and who is next; may be repeated',
      (user, all: string[]) => [...all, user],
      [],
    )
    .option('--without <b>', 'show what would move if these pods left', names, [])
    .option('--users <N>', 'how many made-up users to measure with', atLeastOne, 100_000)
    .option('--points-per-pod <N>', 'as ring.points-per-pod', atLeastOne)
    .option('--size <N>', 'as ring.size', atLeastOne)
    .addOption(new Option('--key-kind <kind>', 'as ring.key-kind').choices(['name', 'address']).default('name'))
    .option('--json', 'JSON instead of text', false);
}

function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.some((name) => name === '')) throw new InvalidArgumentError('Write names separated by commas: a,b,c');
  return list;
}

/** A sample of ten million takes seconds; more would only take longer. */
const MOST = 10_000_000;

function atLeastOne(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > MOST)
    throw new InvalidArgumentError(`Write a whole number from 1 to ${MOST}.`);
  return value;
}

/** commander throws to end: for help and version, which went well, and for wrong usage, which it has told. */
function outcomeOf(error: unknown, host: Host): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  host.stderr.write(`holdfast: ${error instanceof Error ? error.stack : error}\n`);
  return 1;
}

function version(): string {
  const file = findPackageJSON(import.meta.url);
  return file === undefined ? 'unknown' : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
