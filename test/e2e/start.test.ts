/** `npm start` without a configuration: the lines that it prints are copied and run. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { type Child, nodeProgram } from '../experiment/child.ts';

const FREE = { HOLDFAST_LISTEN: '127.0.0.1:0', HOLDFAST_ADMIN: '127.0.0.1:0' };

const shells: ChildProcess[] = [];
const demos: Child[] = [];

afterEach(async () => {
  for (const shell of shells.splice(0)) shell.kill();
  await Promise.all(demos.splice(0).map((demo) => demo.kill()));
});

function start(env: Readonly<Record<string, string>>): Child {
  const demo = nodeProgram('the demo', 'proxy/main.ts', ['start'], { env });
  demos.push(demo);
  return demo;
}

/** The lines to copy: connect, push, roll. */
async function linesToCopy(demo: Child): Promise<[string, string, string]> {
  const copied: string[] = [];
  return demo.line((line) => {
    if (line.startsWith('    ')) copied.push(line.trim());
    const [connect, push, roll] = copied;
    return connect !== undefined && push !== undefined && roll !== undefined ? [connect, push, roll] : undefined;
  });
}

/** Runs a line as a shell does, and gives what it prints line by line. */
function listen(line: string): () => Promise<string> {
  const shell = spawn('sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  shells.push(shell);
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  return async () => String((await lines.next()).value);
}

function say(line: string): string {
  const { stdout, status } = spawnSync('sh', ['-c', line], { encoding: 'utf8' });
  expect(status).toBe(0);
  return stdout;
}

const hasCurl = spawnSync('curl', ['--version']).status === 0;

it.runIf(hasCurl)(
  'prints three lines that work: connect, push a message, roll all pods',
  async () => {
    const demo = start(FREE);
    const [connect, push, roll] = await linesToCopy(demo);
    const heard = listen(connect);
    expect(await heard()).toContain('connected as alice');
    expect(JSON.parse(say(push))).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(await heard()).toBe('/user/queue/news: hello');

    const rolled = demo.line((line) => (line.startsWith('rolled') ? line : undefined));
    say(roll);
    expect(await rolled).toBe('rolled: now pod-4, pod-5, pod-6');
    expect(await heard()).toMatch(/"planned":true.*"continuity":"proven"/);
    const pushed = JSON.parse(say(push)) as { pod: string };
    expect(['pod-4', 'pod-5', 'pod-6']).toContain(pushed.pod);
    for (let line = await heard(); line !== '/user/queue/news: hello'; line = await heard()) {
      expect(line).toContain('"continuity":"proven"');
    }

    demo.signal('SIGINT');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(await heard()).toBe('closed (1012)');
  },
  60_000,
);

it('says which port it cannot have, and leaves nothing behind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
  const demo = start({ ...FREE, HOLDFAST_ADMIN: address });
  expect(await demo.line((line) => (line.startsWith('holdfast: ') ? line : undefined))).toContain(address);
  expect(await demo.exited).toEqual({ code: 1, signal: null });
  taken.close();
});
