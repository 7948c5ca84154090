/** A Go program of this repository, built once for each state of its sources: what is built stays in .cache/. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache/go');

/** Without symbols and debug information the linker needs a third less memory. */
const FLAGS = ['-buildvcs=false', '-ldflags=-s -w'];
/** The first build of a control plane compiles some 2,000 packages, on one busy core if need be. */
export const BUILD_MAX_MS = 3_600_000;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Builds it, or takes what was built from the same sources. Rejects with the compiler's own words, or, where there is no Go, with
 * what to do.
 *
 * @param folder of go.mod and the sources, relative to the root of the repository
 * @returns the path of the program
 */
export async function goProgram(folder: string, name: string): Promise<string> {
  const place = join(CACHE, `${name}-${fingerprint(join(ROOT, folder))}`);
  const program = join(place, name);
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  // Built beside its place and moved there whole, so that two builds at a time do not disturb each other.
  const work = mkdtempSync(join(CACHE, 'building-'));
  try {
    await go(['build', ...FLAGS, '-o', join(work, name), '.'], join(ROOT, folder));
    if (!existsSync(place)) renameSync(work, place);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

async function go(args: readonly string[], cwd: string): Promise<void> {
  // Without cgo the program needs neither a C compiler nor the libc that it was built with.
  const env = { ...process.env, CGO_ENABLED: '0' };
  try {
    await run('go', args, { cwd, env, timeout: BUILD_MAX_MS, maxBuffer: OUTPUT_MAX_BYTES });
  } catch (error) {
    throw new Error(explain(error as Error & { code?: unknown; stderr?: string }, cwd));
  }
}

function explain({ code, message, stderr }: Error & { code?: unknown; stderr?: string }, cwd: string): string {
  if (code === 'ENOENT') return `there is no go to build ${cwd} with; install Go (its go.mod says which) and try again`;
  return `${message}\n${stderr ?? ''}`;
}

function fingerprint(folder: string): string {
  const hash = createHash('sha256').update(JSON.stringify(FLAGS));
  for (const file of readdirSync(folder).sort()) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(folder, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
