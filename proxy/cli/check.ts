import { accessSync, constants } from 'node:fs';
import { createIdentifier } from '../identity/index.ts';
import { type ExitCode, type Host, messageOf } from './host.ts';
import { inForceYaml } from './in-force.ts';
import { type Loaded, load } from './serve.ts';

/** `holdfast check`: 2 when the configuration is wrong, 1 when it is right but a file that it names cannot be used. */
export function checkCommand(argv: readonly string[], host: Host): ExitCode {
  const loaded = load(argv, host);
  if (loaded === undefined) return 2;
  host.stdout.write(inForceYaml(loaded.inForce));
  for (const warning of loaded.warnings) host.stderr.write(`holdfast: warning: ${warning}\n`);
  const failures = unusableFiles(loaded);
  for (const failure of failures) host.stderr.write(`holdfast: ${failure}\n`);
  return failures.length === 0 ? 0 : 1;
}

function unusableFiles({ config, inForce }: Loaded): string[] {
  const files = inForce.filter(({ key, value }) => key.placeholder === 'FILE' && value !== undefined);
  // The secret is not only read but checked too, and told once.
  const others = files.filter(({ key }) => key.name !== 'jwt.secret-file');
  return [
    ...others.flatMap(({ key, value }) => attempt(`${key.name}: `, () => accessSync(String(value), constants.R_OK))),
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
