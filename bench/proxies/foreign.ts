/** Proxies that are programs of others: found on PATH, with a configuration that the bench writes. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type Child, foreignProgram } from '../../test/experiment/child.ts';
import { sleep } from '../../test/experiment/clock.ts';
import type { RunningProxy } from './proxy.ts';

/** For a program to listen, on a machine that is busy. */
const START_MAX_MS = 20_000;
const LOOK_MS = 20;

/** A number with dots in what the program prints about itself, undefined when there is no such program. */
export function versionOf(command: string, args: readonly string[]): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return error === undefined ? /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] : undefined;
}

export interface ForeignProxy {
  readonly name: string;
  readonly command: string;
  readonly args: (file: string) => readonly string[];
  readonly directory: string;
  /** The configuration for a port of this machine. */
  readonly configuration: (port: number) => string;
}

export async function startForeign({
  name,
  command,
  args,
  directory,
  configuration,
}: ForeignProxy): Promise<RunningProxy> {
  const port = await freePort();
  const file = join(directory, `${name}.conf`);
  writeFileSync(file, configuration(port));
  const program = foreignProgram(name, command, args(file));
  await listening(program, port);
  return { addresses: [`127.0.0.1:${port}`], pid: program.pid, stop: () => program.kill() };
}

/** One that nobody has now: these programs do not tell which one they were given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** They do not tell either when they listen, so it is tried. */
async function listening(program: Child, port: number): Promise<void> {
  const untilMs = performance.now() + START_MAX_MS;
  while (!(await accepts(port))) {
    if (!program.running) throw new Error(`${program.name} has ended:\n${program.lastLines}`);
    if (performance.now() > untilMs) throw new Error(`${program.name} does not listen:\n${program.lastLines}`);
    await sleep(LOOK_MS);
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
