import { accessSync, constants } from 'node:fs';
import type { Config } from '../config/index.ts';
import { createIdentifier } from '../identity/index.ts';
import { type ExitCode, type Host, messageOf } from './host.ts';
import { inForceYaml } from './in-force.ts';
import { load } from './serve.ts';

/** `holdfast check`: 2 when the configuration is wrong, 1 when it is right but a file that it names cannot be used. */
export function checkCommand(argv: readonly string[], host: Host): ExitCode {
  const loaded = load(argv, host);
  if (loaded === undefined) return 2;
  host.stdout.write(inForceYaml(loaded.inForce));
  for (const warning of loaded.warnings) host.stderr.write(`holdfast: warning: ${warning}\n`);
  const failures = unusableFiles(loaded.config);
  for (const failure of failures) host.stderr.write(`holdfast: ${failure}\n`);
  return failures.length === 0 ? 0 : 1;
}

function unusableFiles(config: Config): string[] {
  const read = (key: string, file: string | undefined) =>
    attempt(key, () => file !== undefined && accessSync(file, constants.R_OK));
  return [
    ...read('pods-file: ', config.podsFile),
    ...read('kubeconfig: ', config.kubeconfig),
    ...read('gateway.token-file: ', config.gateway.tokenFile),
    ...attempt('', () => createIdentifier(config)),
  ];
}

function attempt(prefix: string, action: () => unknown): string[] {
  try {
    action();
    return [];
  } catch (error) {
    return [`${prefix}${messageOf(error)}`];
  }
}
