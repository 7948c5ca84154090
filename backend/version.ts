import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** The version of the package that this file belongs to, in the repository and when installed. */
export const version: string = read();

function read(): string {
  const file = findPackageJSON('.', import.meta.url);
  if (file === undefined) return '0';
  const described: { version?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
  return String(described.version ?? '0');
}
