/**
 * Runs a program of this repository on the Node that the project is developed on, and installs what is missing first.
 *
 * Machines often carry an older Node than the project needs, so this file is plain JavaScript that Node 18 understands:
 * it makes sure that the locked dependencies are there (the package `node` among them, which is Node itself) and hands
 * over. Usage: node tools/run.mjs FILE [ARGUMENT…]
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, 'node_modules/node/bin/node');

/** Longer than an install takes on a slow line. */
const INSTALL_MAX_MS = 600_000;

/** @param {string} file */
function modifiedAt(file) {
  return statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** npm writes node_modules/.package-lock.json last, so it is the proof that an install of this lockfile ended well. */
function installed() {
  return (
    modifiedAt('node_modules/.package-lock.json') >= modifiedAt('package-lock.json') &&
    statSync(node, { throwIfNoEntry: false }) !== undefined
  );
}

/** @returns whether it is installed now */
function install() {
  process.stderr.write('holdfast: installing the locked dependencies (npm ci) …\n');
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0 || !installed()) {
    process.stderr.write(
      'holdfast: npm ci did not give a working node_modules/node. Run `npm ci` by hand and read its first error;\n' +
        'if it says that install scripts are not allowed, run `npm install-scripts approve node`.\n',
    );
    return false;
  }
  return true;
}

/** Two commands on a fresh clone must not install over each other: a folder is the lock, for it is made once only. */
function installOnce() {
  const lock = join(root, '.installing');
  const until = Date.now() + INSTALL_MAX_MS;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (Date.now() > until) {
      process.stderr.write(`holdfast: another install has not ended; if none is running, remove ${lock}\n`);
      process.exit(1);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  const done = installed() || install();
  rmdirSync(lock);
  if (!done) process.exit(1);
}

if (!installed()) installOnce();

const [file = '', ...rest] = process.argv.slice(2);
const path = file.startsWith('node_modules/') || file.endsWith('.ts') ? join(root, file) : file;
const child = spawn(node, [path, ...rest], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
