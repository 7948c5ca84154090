/** What npm has installed. */
import { readFileSync } from 'node:fs';

/** @param file a package.json */
export function packageAt(file: URL): { readonly version: string } {
  return JSON.parse(readFileSync(file, 'utf8')) as { version: string };
}

export function versionOfPackage(name: string): string {
  return packageAt(new URL(`../../node_modules/${name}/package.json`, import.meta.url)).version;
}
