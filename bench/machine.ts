/** What a reader must know of the machine to read the figures. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { ProxyKind } from './proxies/index.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Of proxies that are installed. */
  readonly versions: Readonly<Record<string, string>>;
}

const BYTES_PER_GIB = 2 ** 30;

export function machineWith(proxies: readonly ProxyKind[]): Machine {
  const [first] = cpus();
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / BYTES_PER_GIB),
    kernel: `${type()} ${release()}`,
    node: process.version,
    versions: Object.fromEntries(proxies.map((proxy) => [proxy.name, proxy.version() ?? 'not installed'])),
  };
}

/** Programs that want to run, over one minute: more than one a core and figures of the wall clock say little. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** Of the checkout, with a + when it was changed since; undefined outside of one. */
export function commit(): string | undefined {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    );
  } catch {
    return undefined;
  }
}
