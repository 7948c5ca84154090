/** The model of test/discovery at length: vitest runs it in a process of its own, with as many sequences as are wanted. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Report } from './report.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VITEST = `${ROOT}node_modules/vitest/vitest.mjs`;
/** Properties in that file, each with so many runs. */
const PROPERTIES = 2;

export async function fuzzSlicesModel({ sequences }: { readonly sequences: number }): Promise<Report> {
  const startMs = performance.now();
  const args = [VITEST, 'run', 'test/discovery/slices-model.test.ts', '--testTimeout=3600000', '--reporter=dot'];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, HOLDFAST_PROPERTY_RUNS: String(sequences) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return {
    ...{ target: 'EndpointSlices against the model', cases: PROPERTIES * sequences, unit: 'sequences' },
    seconds: (performance.now() - startMs) / 1000,
    failures: code === 0 ? [] : [said],
  };
}
