/** The proxy as a process whose log nobody reads any more: its sessions do not notice, and it ends when it is told to. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { EXIT_WITH_PARENT } from '../experiment/child.ts';
import { eventually } from '../support/proxy.ts';

const PROGRAM = fileURLToPath(new URL('../../proxy/main.ts', import.meta.url));
const FLAGS = [
  ...['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
  ...['--pods', 'a=127.0.0.1:1', '--user', 'header:Username'],
];
/** Passes lines on until the proxy serves, then reads no more. */
const READER = `exec <"$0"; while read -r line; do
  echo "$line"; case "$line" in *"holdfast serves"*) exec sleep 1000000;; esac
done`;

function child(process: ChildProcess): ChildProcess {
  onTestFinished(() => void process.kill('SIGKILL'));
  return process;
}

/** A proxy that serves, whose log waits for a reader that is alive and stuck; the pipe between them is full. */
async function proxyBehindStuckReader() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'log');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const reader = child(spawn('sh', ['-c', READER, pipe], { stdio: ['ignore', 'pipe', 'inherit'] }));
  const log = await open(pipe, 'w');
  const args = [`--import=${EXIT_WITH_PARENT}`, PROGRAM, ...FLAGS];
  const proxy = child(spawn(process.execPath, args, { stdio: ['pipe', log.fd, 'inherit'] }));
  const urls = await served(reader);
  await log.close();
  const filler = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  fill(filler.fd);
  await filler.close();
  return { reader, proxy, ...urls };
}

async function served(reader: ChildProcess): Promise<{ listen: string; admin: string }> {
  if (reader.stdout === null) throw new Error('the reader has no stdout');
  for await (const text of createInterface({ input: reader.stdout })) {
    const line = JSON.parse(text) as { msg: string; listen: string; admin: string };
    if (line.msg === 'holdfast serves') return line;
  }
  throw new Error('the proxy did not serve');
}

function fill(fd: number): void {
  for (const bytes of [4096, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(bytes, '\n'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** A client without a user: that it was refused is a line of the log. */
async function logLine(listen: string): Promise<void> {
  const socket = new WebSocket(`${listen.replace('http', 'ws')}/ws`);
  const [error] = (await once(socket, 'error').catch((cause: unknown) => [cause])) as [Error];
  expect(error.message).toContain('401');
}

async function linesLost(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(/^holdfast_log_lines_lost_total (\d+)$/m.exec(text)?.[1]);
}

/** SIGTERM, and how the proxy ended. */
async function ended(proxy: ChildProcess): Promise<unknown[]> {
  const exit = once(proxy, 'exit');
  proxy.kill('SIGTERM');
  return exit;
}

test('a reader that is stuck does not keep the proxy from serving, nor from ending', async () => {
  const { proxy, listen, admin } = await proxyBehindStuckReader();
  await logLine(listen);
  await logLine(listen);
  expect(await linesLost(admin)).toBe(0);
  expect(await ended(proxy)).toEqual([0, null]);
});

test('when it is killed, what it has not read is counted, and the proxy goes on until it is told to end', async () => {
  const { proxy, reader, listen, admin } = await proxyBehindStuckReader();
  await logLine(listen);
  const gone = once(reader, 'exit');
  reader.kill('SIGKILL');
  await gone;
  await eventually(async () => expect(await linesLost(admin)).toBeGreaterThan(0));
  const before = await linesLost(admin);
  await logLine(listen);
  await eventually(async () => expect(await linesLost(admin)).toBeGreaterThan(before));
  expect(await ended(proxy)).toEqual([0, null]);
});

test('a proxy that must end at once does not wait for a reader that is killed', async () => {
  const { proxy, reader, listen } = await proxyBehindStuckReader();
  await logLine(listen);
  await logLine(listen);
  const exit = once(proxy, 'exit');
  proxy.stdin?.end();
  reader.kill('SIGKILL');
  expect(await exit).toEqual([1, null]);
});
