/** The backend as a process: its one line, its signals, its death. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RawClient } from './tools.ts';

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

function run(...flags: string[]): { child: ChildProcess; exit: Promise<Exit>; stderr: Promise<string> } {
  const child = spawn(process.execPath, ['backend/main.ts', ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return { child, exit, stderr: text(child.stderr) };
}

async function ready(...flags: string[]) {
  const started = run('--name', 'pod-7', ...flags);
  const lines = createInterface({ input: started.child.stdout ?? process.stdin });
  const [line] = await once(lines, 'line');
  const said: { ready: boolean; name: string; address: string } = JSON.parse(line);
  return { ...started, said, url: `ws://${said.address}/ws` };
}

test('says once where it listens', async () => {
  const { said } = await ready();
  expect(said).toEqual({ ready: true, name: 'pod-7', address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
});

describe('SIGTERM', () => {
  test('without sessions: exit 0', async () => {
    const { child, exit, stderr } = await ready();
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(await stderr).toBe('');
  });

  test('drains first; a second one ends it at once', async () => {
    const { child, exit, said, url } = await ready();
    const client = await RawClient.connect(url, { user: 'alice' });
    child.kill('SIGTERM');
    while ((await fetch(`http://${said.address}/healthz`)).status !== 503);
    await client.subscribe('/topic/x');
    child.kill('SIGTERM');
    expect((await client.closed).code).toBe(1006);
    expect(await exit).toEqual({ code: 143, signal: null });
  });

  test('past the grace: 1001, a line in the log without the user, exit 0', async () => {
    const { child, exit, stderr, url } = await ready('--drain-grace', '1');
    const client = await RawClient.connect(url, { user: 'alice' });
    child.kill('SIGTERM');
    expect((await client.closed).code).toBe(1001);
    expect(await exit).toEqual({ code: 0, signal: null });
    const [line = ''] = (await stderr).split('\n');
    expect(JSON.parse(line)).toMatchObject({ level: 40, pod: 'pod-7', sessions: 1 });
    expect(await stderr).not.toContain('alice');
  });
});

test('--crash-after: dead by SIGKILL, and what was delivered still arrives', async () => {
  const { exit, said, url } = await ready('--crash-after', '3');
  const client = await RawClient.connect(url, { user: 'alice' });
  await client.subscribe('/user/queue/x');
  const post = (body: string) =>
    fetch(`http://${said.address}/users/alice/messages?destination=/queue/x`, { method: 'POST', body });
  expect((await post('1')).status).toBe(200);
  expect((await post('2')).status).toBe(200);
  await expect(post('3')).rejects.toThrow();
  expect(await client.bodies(3)).toEqual(['1', '2', '3']);
  expect((await client.closed).code).toBe(1006);
  expect(await exit).toEqual({ code: null, signal: 'SIGKILL' });
});

test('--exit-on-stdin-end: ends with the program that started it', async () => {
  const { child, exit } = await ready('--exit-on-stdin-end');
  child.stdin?.end();
  expect((await exit).code).toBe(0);
});

test('--log-level debug tells the story without user names', async () => {
  const { child, exit, stderr, url } = await ready('--log-level', 'debug');
  const client = await RawClient.connect(url, { user: 'alice' });
  client.send('SEND', { destination: '/user/bob/x' });
  await client.closed;
  child.kill('SIGTERM');
  await exit;
  const log = await stderr;
  const messages = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  expect(messages).toEqual(['session connected', 'session refused', 'draining', 'stopped']);
  expect(log).not.toMatch(/alice|bob/);
});

describe('bad usage: a line that says what is wrong, exit 2', () => {
  test.each([
    [['--nope'], "Unknown option '--nope'"],
    [['--listen', 'here'], 'listen must be HOST:PORT'],
    [['--close-code', '1'], 'closeCode must be'],
    [['--listen', '127.0.0.1:99999'], 'listen must be HOST:PORT'],
  ])('%j', async (flags, said) => {
    const { exit, stderr } = run(...flags);
    expect(await exit).toEqual({ code: 2, signal: null });
    expect(await stderr).toContain(said);
  });

  test('an address in use', async () => {
    const { said } = await ready();
    const { exit, stderr } = run('--listen', said.address);
    expect((await exit).code).toBe(2);
    expect(await stderr).toContain('EADDRINUSE');
  });
});

test('--help', async () => {
  const { child, exit } = run('--help');
  const help = await text(child.stdout ?? process.stdin);
  expect(help).toContain('--crash-after N');
  expect((await exit).code).toBe(0);
});
