/**
 * Puts a planted fault (planted-faults.ts) into the sources as this thread loads them. Production code knows nothing of it.
 * A snippet that is not found, or found twice, is an error: the sources have changed and the fault must be written anew.
 */
import { registerHooks } from 'node:module';
import { PLANTED_FAULTS } from './planted-faults.ts';

export interface Planted {
  /** Throws when the file of the fault was never loaded. */
  mustBeIn(): void;
}

export function plant(name: string): Planted {
  const fault = PLANTED_FAULTS.find((each) => each.name === name);
  if (fault === undefined) throw new Error(`there is no planted fault "${name}"`);
  const { href } = new URL(`../../${fault.file}`, import.meta.url);
  let isIn = false;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== href) return loaded;
      isIn = true;
      const source =
        typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source as Uint8Array);
      return { ...loaded, source: replaceOnce(source, fault.find, fault.replace, `${fault.file}: ${name}`) };
    },
  });
  return {
    mustBeIn() {
      if (!isIn) throw new Error(`${fault.file} was not loaded: the fault "${name}" was not planted`);
    },
  };
}

export function replaceOnce(source: string, find: string, replace: string, where: string): string {
  const times = source.split(find).length - 1;
  if (times !== 1)
    throw new Error(`${where}: its snippet stands there ${times} times, not once; write it anew:\n${find}`);
  return source.replace(find, () => replace);
}
