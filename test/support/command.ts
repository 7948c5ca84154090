/** The command line of a program of this repository, from its arguments to its exit code. */

const BAD_USAGE = 2;

export interface Command<Options> {
  /** Said before what is wrong with its options. */
  readonly name: string;
  readonly help: string;
  /** Undefined asks for help. Throws an Error that says what is wrong. */
  readonly readOptions: (argv: readonly string[]) => Options | undefined;
  /** @returns the exit code */
  readonly run: (options: Options) => Promise<number>;
}

export async function runCommand<Options>(command: Command<Options>, argv: readonly string[]): Promise<number> {
  const { name, help, readOptions, run } = command;
  let options: Options | undefined;
  try {
    options = readOptions(argv);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : error}\n(--help lists everything)\n`);
    return BAD_USAGE;
  }
  if (options !== undefined) return run(options);
  process.stdout.write(help);
  return 0;
}

/** @throws Error that says what the flag takes instead */
export function wholeNumber(flag: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`--${flag} must be a whole number from ${least} to ${most}, not ${text}`);
}
