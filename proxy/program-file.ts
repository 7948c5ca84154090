import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Another program of this package, as a path that Node can run.
 *
 * @param relative to this file and without its ending, which is .ts in the repository and .js in the package
 */
export function programFile(relative: string): string {
  const here = import.meta.url;
  return fileURLToPath(new URL(`${relative}${extname(fileURLToPath(here))}`, here));
}
