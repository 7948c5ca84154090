/** `holdfast start`: three pods of our own, the proxy in front of them, and three lines to copy. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { formatProblems, loadConfig } from './config/index.ts';
import { DemoPods } from './demo/pods.ts';
import { createStdoutLog } from './log.ts';
import { programFile } from './program-file.ts';
import type { Running } from './running.ts';
import { serve } from './serve.ts';

const PODS = 3;
const LISTEN_PORT = 8080;
const ADMIN_PORT = 9090;
/** Ports that are tried after the usual one, before somebody has to name a free one. */
const PORTS_TRIED = 20;
/** Short, so that who watches a roll does not wait: the producers of the demo are the gateway's, which follow at once. */
const DRAIN_MAX = '1s';

type Env = Readonly<Record<string, string | undefined>>;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Of the environment only HOLDFAST_LISTEN, HOLDFAST_ADMIN and HOLDFAST_LOG_LEVEL count here. */
export async function start(env: Env = process.env): Promise<Running> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
  const pods = new DemoPods(directory);
  const end = async () => {
    await pods.stop();
    rmSync(directory, { recursive: true });
  };
  try {
    await pods.add(PODS);
    const proxy = await startProxy(pods.file, env);
    welcome(proxy, pods.names);
    const quiet = onWish(rolling(pods));
    const stop = async () => {
      quiet();
      await proxy.stop();
      await end();
    };
    return { ...proxy, stop };
  } catch (error) {
    await end();
    throw error;
  }
}

async function startProxy(podsFile: string, env: Env): Promise<Running> {
  const listen = env['HOLDFAST_LISTEN'] ?? `127.0.0.1:${await freePort(LISTEN_PORT)}`;
  const admin = env['HOLDFAST_ADMIN'] ?? `127.0.0.1:${await freePort(ADMIN_PORT)}`;
  const argv = [
    ...['--listen', listen, '--admin', admin, '--pods-file', podsFile, '--user', 'header:Username,query:user'],
    ...['--handover-drain-max', DRAIN_MAX, '--log-level', env['HOLDFAST_LOG_LEVEL'] ?? 'warn'],
  ];
  const loaded = loadConfig({ argv, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  const { log, losses } = createStdoutLog(loaded.config.log, process.stdout);
  return serve(loaded.config, log, losses);
}

/** The usual port, or the next one that nobody has. */
async function freePort(usual: number): Promise<number> {
  for (let port = usual; port < usual + PORTS_TRIED; port++) {
    if (!(await isFree(port))) continue;
    if (port !== usual) say(`port ${usual} is taken, so ${port} is used`);
    return port;
  }
  throw new Error(
    `ports ${usual} to ${usual + PORTS_TRIED - 1} are taken; set HOLDFAST_LISTEN and HOLDFAST_ADMIN to HOST:PORT`,
  );
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

function welcome({ listenUrl, adminUrl }: Running, names: readonly string[]): void {
  const clientsUrl = `${listenUrl.replace(/^http/, 'ws')}/ws`;
  const command = [process.execPath, programFile('./demo/client'), clientsUrl, 'alice'].map(quoted).join(' ');
  say(`
Holdfast stands in front of ${names.join(', ')}.
  clients    ${clientsUrl}   the user is the header Username, or ?user=
  producers  ${adminUrl}/v1/users/{user}/messages?destination=/queue/…
  metrics    ${adminUrl}/metrics

Copy these into another terminal:
  connect as alice, and see what she gets:
    ${command}
  push a message to her:
    curl -H content-type:text/plain -d hello '${adminUrl}/v1/users/alice/messages?destination=/queue/news'
  roll all pods (or press Enter here): she stays connected:
    kill -USR2 ${process.pid}

Ctrl-C ends everything.`);
}

/** As a shell takes it: bare where that is the same. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A roll at a time. */
function rolling(pods: DemoPods): () => void {
  let busy = false;
  return () => {
    if (busy) return say('still rolling');
    busy = true;
    const done = () => {
      busy = false;
    };
    pods
      .roll((line) => say(`  ${line}`))
      .then(() => say(`rolled: now ${pods.names.join(', ')}`))
      .catch((error: unknown) => say(`the roll has failed: ${error instanceof Error ? error.message : error}`))
      .finally(done);
  };
}

/** A person's wish: SIGUSR2, or Enter where somebody sits. The result ends listening. */
function onWish(action: () => void): () => void {
  process.on('SIGUSR2', action);
  if (process.stdin.isTTY) process.stdin.on('data', action);
  return () => {
    process.off('SIGUSR2', action);
    if (process.stdin.isTTY) process.stdin.off('data', action).pause();
  };
}
