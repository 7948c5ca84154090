/**
 * Java programs built by Maven, once for each state of their sources: what is built, its tests passed, stays in .cache/.
 *
 * A program is unpacked from its Boot jar, and has an archive of its loaded classes (CDS): a pod of it then starts in a
 * quarter of the time, which tests with many pods on few cores need.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CACHE = join(ROOT, '.cache/java');

/** The newest of each line; without a version, what the pom says. */
export const SPRING_BOOT_3 = '3.5.16';

/** A first build loads some hundred files from Maven Central. */
export const BUILD_MAX_MS = 600_000;
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

/** Small, and quick to start: the machine has many of them. They must be those of the archive. */
const JVM_FLAGS = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export interface JavaProgram {
  /** Arguments of `java`, up to those of the program. */
  readonly command: readonly string[];
}

export interface Project {
  /** Folder of the pom.xml, relative to the root of the repository. */
  readonly folder: string;
  /** Of the jar, without .jar. */
  readonly name: string;
  /** Arguments of java and of the program for a run that ends by itself, from which the archive of classes is made. */
  readonly training: { readonly jvm: readonly string[]; readonly program: readonly string[] };
}

/** Builds it, or takes what was built from the same sources. Rejects with Maven's own words. */
export async function build(project: Project, bootVersion?: string): Promise<JavaProgram> {
  const flags = bootVersion === undefined ? [] : [`-Dspring-boot.version=${bootVersion}`];
  const folder = join(CACHE, `${project.name}-${fingerprint(project, flags)}`);
  if (!existsSync(folder)) await buildInto(folder, project, flags);
  const archive = [`-XX:SharedArchiveFile=${archiveIn(folder)}`, '-Xshare:auto'];
  return { command: [...JVM_FLAGS, ...archive, '-jar', jarIn(folder, project.name)] };
}

const archiveIn = (folder: string) => join(folder, 'classes.jsa');
const jarIn = (folder: string, name: string) => join(folder, `${name}.jar`);

/** Built beside its place and moved there whole, so that two builds at a time do not disturb each other. */
async function buildInto(folder: string, { folder: sources, name, training }: Project, flags: readonly string[]) {
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'building-'));
  try {
    cpSync(join(ROOT, sources), work, { recursive: true, filter: (path) => !path.endsWith('/target') });
    await tool('mvn', ['--batch-mode', '--no-transfer-progress', '--quiet', ...flags, 'package'], work);
    const extract = ['-Djarmode=tools', '-jar', `target/${name}.jar`, 'extract', '--destination', 'program'];
    await tool('java', extract, work);
    if (!existsSync(folder)) renameSync(join(work, 'program'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  // In its final place, for an archive holds only for the jars at the very paths from which it was made.
  const archive = [`-XX:ArchiveClassesAtExit=${archiveIn(folder)}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
  await tool(
    'java',
    [...JVM_FLAGS, ...archive, ...training.jvm, '-jar', jarIn(folder, name), ...training.program],
    folder,
  );
}

async function tool(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = run(command, args, { cwd, timeout: BUILD_MAX_MS, maxBuffer: OUTPUT_MAX_BYTES });
  child.child.stdin?.end();
  await child.catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${command} ${args.join(' ')} in ${cwd}: ${error.message}\n${error.stdout}${error.stderr}`);
  });
}

function fingerprint({ folder }: Project, flags: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([flags, JVM_FLAGS]));
  for (const path of sourcesIn(join(ROOT, folder))) {
    hash.update(relative(ROOT, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function sourcesIn(folder: string): string[] {
  const entries = readdirSync(join(folder, 'src'), { withFileTypes: true, recursive: true });
  const sources = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return [join(folder, 'pom.xml'), ...sources].sort();
}
