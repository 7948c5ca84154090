/** What is published: a tarball that installs in an empty folder, with the command, the imports and their types. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = mkdtempSync(join(tmpdir(), 'holdfast-package-'));
/** An install from the registry on a slow line. */
const INSTALL_MS = 300_000;

const CONSUMER = `
import { startBackend } from 'holdfast/backend';
import { createProducer, httpTransport, staticRing, type Result } from 'holdfast/producer';
import { Ring } from 'holdfast/ring';
import vectors from 'holdfast/ring/vectors.json' with { type: 'json' };
import { Decoder, encode, type Frame } from 'holdfast/stomp';

const owner: string | undefined = Ring.of(['pod-1', 'pod-2']).owner('alice');
const frames: (Frame | 'beat')[] = new Decoder({ peer: 'client' }).push(encode('SEND', { destination: '/queue/x' }, 'hello'));
const backend = await startBackend({ name: 'pod-1' });
const ring = staticRing([{ name: backend.name, address: backend.address }]);
const producer = createProducer({ ring, transport: httpTransport(), offlineAfterMs: 1 });
const result: Result = await producer.send('alice', '/queue/x', 'hello');
await producer.close();
await backend.stop();
console.log(JSON.stringify({ owner, frames: frames.length, status: result.status, vectors: Object.keys(vectors).length > 0 }));
`;

function run(file: string, args: readonly string[], cwd = folder): string {
  return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

beforeAll(() => {
  const [tarball = ''] = run('npm', ['pack', '--silent', '--pack-destination', folder], root)
    .trim()
    .split('\n')
    .slice(-1);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module', private: true }));
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', join(folder, tarball)]);
}, INSTALL_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('offers the command', () => {
  // Not as it is: the `node` of the PATH may be older than what the package asks for.
  const program = join(folder, 'node_modules/.bin/holdfast');
  expect(run(process.execPath, [program, '--version'])).toMatch(/^\d+\.\d+\.\d+/);
  expect(run(process.execPath, [program, 'ring', '--pods', 'a,b,c', '--user', 'alice'])).toContain('alice');
});

test(
  'offers the imports, which work and have types',
  () => {
    writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
    const printed = JSON.parse(run(process.execPath, ['consumer.ts']));
    expect(printed).toEqual({
      owner: expect.stringMatching(/^pod-[12]$/),
      frames: 1,
      status: 'offline',
      vectors: true,
    });
    const strict = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--resolveJsonModule'];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...strict, ...types, 'consumer.ts']);
  },
  INSTALL_MS,
);

test('carries no sources, tests or notes', () => {
  const listed = run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], root);
  const [pack] = JSON.parse(listed.slice(listed.indexOf('[')));
  const paths: string[] = pack.files.map((file: { path: string }) => file.path);
  const allowed =
    /^(dist\/|README\.md|LICENSE|CHANGELOG\.md|package\.json|ring\/vectors\.json|docs\/config\.schema\.json)/;
  expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
});
