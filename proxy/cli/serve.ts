import { readFileSync } from 'node:fs';
import { formatProblems, type LoadedConfig, loadConfig } from '../config/index.ts';
import { createStdoutLog } from '../log.ts';
import type { ExitCode, Host } from './host.ts';
import type { Programs } from './programs.ts';
import { untilStopped } from './until-stopped.ts';

export type Loaded = Extract<LoadedConfig, { ok: true }>;

/** Loads the configuration; problems go to stderr. */
export function load(argv: readonly string[], host: Host): Loaded | undefined {
  const loaded = loadConfig({ argv, env: host.env, readFile: (path) => readFileSync(path, 'utf8') });
  if (loaded.ok) return loaded;
  host.stderr.write(formatProblems(loaded.problems));
  return undefined;
}

/** `holdfast serve` */
export async function serveCommand(argv: readonly string[], host: Host, programs: Programs): Promise<ExitCode> {
  const loaded = load(argv, host);
  if (loaded === undefined) return 2;
  const { log, losses } = createStdoutLog(loaded.config.log, host.stdout);
  for (const warning of loaded.warnings) log.warn({}, warning);
  return untilStopped(host, () => programs.serve(loaded.config, log, losses));
}
