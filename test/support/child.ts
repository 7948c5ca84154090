/** Processes of their own: pods and proxies that can be stopped by signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface Child {
  readonly process: ChildProcess;
  readonly lines: Record<string, unknown>[];
  signal(name: NodeJS.Signals): void;
  /** The first line of JSON on stdout that fits. */
  line(fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

export function startChild(script: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [root + script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const lines: Record<string, unknown>[] = [];
  const looks = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text) as Record<string, unknown>);
    for (const look of looks) look();
  });
  return {
    process: child,
    lines,
    signal: (name) => void child.kill(name),
    line: (fits) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(fits);
          if (found !== undefined) resolve(found);
        };
        looks.add(look);
        child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
        look();
      }),
  };
}
