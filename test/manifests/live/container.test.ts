/**
 * The steps of the Dockerfile, taken from the file, in an empty folder: what it copies is copied, what it runs is run, and the program
 * that comes of it serves without writing a file. There is no engine here, so the image itself is not built.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { foreignProgram, jsonOf } from '../../experiment/child.ts';
import { commandOf, copiesOf, dockerfile, environmentOf, type Step } from '../dockerfile.ts';
import { root } from '../names.ts';

const [build = [], image = []] = dockerfile;
const folder = mkdtempSync(join(tmpdir(), 'holdfast-image-'));
const [source, app] = [join(folder, 'src'), join(folder, 'app')];
/** Two installs from the registry on a slow line. */
const BUILD_MS = 600_000;
const [program, ...entry] = commandOf(image, 'ENTRYPOINT');

function copy(from: string, step: Step, to: string): void {
  const [{ sources, target }] = [...copiesOf([step], 'context'), ...copiesOf([step], 'stage')] as [
    { sources: string[]; target: string },
  ];
  for (const path of sources) {
    const name = path.replace(/^\/src\//, '');
    const isFolder = target.endsWith('/');
    const destination = join(to, isFolder ? join(target, name.split('/').at(-1) ?? '') : target);
    mkdirSync(dirname(destination), { recursive: true });
    cpSync(join(from, name), destination, { recursive: true, filter: (file) => !file.includes('/backend/spring') });
  }
}

beforeAll(() => {
  for (const step of build) {
    if (step.does === 'COPY') copy(root, step, source);
    if (step.does === 'RUN') execFileSync('sh', ['-ec', step.words.join(' ')], { cwd: source, stdio: 'pipe' });
  }
  for (const step of image.filter(({ does }) => does === 'COPY')) {
    copy(step.words[0]?.startsWith('--from=') ? source : root, step, app);
  }
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it has what the proxy needs at run time, and no tools of its development', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const modules = join(app, 'node_modules');
  expect(Object.keys(dependencies).filter((name) => !existsSync(join(modules, name)))).toEqual([]);
  // Types may come as the dependency of a dependency.
  const tools = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
  expect(tools.filter((name) => existsSync(join(modules, name)))).toEqual([]);
  expect(readdirSync(app).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
});

test('it says its version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(program).toBe('node');
  // The Node of the image, not the one of the PATH.
  const printed = execFileSync(process.execPath, [...entry, '--version'], { cwd: app, encoding: 'utf8' });
  expect(printed.trim()).toBe(version);
});

test('it serves where nothing can be written, and ends in order at SIGTERM', async () => {
  const pods = join(folder, 'pods.yaml');
  writeFileSync(pods, '- { name: pod-1, address: 127.0.0.1:9 }\n');
  const serve = [...entry.slice(0, -1), join(app, entry.at(-1) ?? ''), ...commandOf(image, 'CMD')];
  const flags = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--pods-file', pods, '--user', 'header:U'];
  // Node's own permissions: files may be read, none may be written, no program may be started.
  const readOnly = ['--permission', '--allow-fs-read=*', '--allow-net'];
  const proxy = foreignProgram('the proxy', process.execPath, [...readOnly, ...serve, ...flags], environmentOf(image));
  onTestFinished(async () => {
    if (proxy.running) await proxy.kill();
  });
  const admin = await proxy.line((line) => jsonOf(line)?.['admin'] as string | undefined);
  const ready = async () => (await fetch(`${admin}/readyz`)).status;
  await expect.poll(ready).toBe(200);
  proxy.signal('SIGTERM');
  expect(await proxy.exited).toEqual({ code: 0, signal: null });
});
