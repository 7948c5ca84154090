/**
 * The WebSocket layer of the listener, from raw sockets at a real proxy in a process of its own: whatever a peer says, the
 * answer is one that RFC 6455 allows, only that peer is concerned, and the proxy lives.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Fleet } from '../experiment/fleet.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { Bystander } from './bystander.ts';
import { inBatches, type Report } from './report.ts';
import { type Conversation, conversation, LEAVE } from './websocket-frames.ts';
import { type Expected, expectedOf, octetsOf, readServer } from './websocket-model.ts';

/** Above the proxy's own limits by far, and below them by far: what is between is said by tests of the limits. */
const LIMITS = { tooLarge: 150_000, tooManyParts: 150 };
/** What the STOMP of a client may end in, besides what WebSocket says: close by the proxy or by the pod. */
const STOMP_CODES = [1000, 1002, 1007, 1009];
/** An answer that takes longer never comes: the proxy waits at most 2 s for the close of a peer. */
const ANSWER_MAX_MS = 10_000;
/** Peers at a time. */
const TOGETHER = 16;
const BYSTANDERS = 3;
/** Descriptors that may be open beyond those at the start when all peers have left. */
const DESCRIPTORS_MORE = 8;

export interface WebSocketFuzz {
  /** At least so many are opened. */
  readonly sockets: number;
  readonly seed: number;
}

export async function fuzzWebSocket({ sockets, seed }: WebSocketFuzz): Promise<Report> {
  const startMs = performance.now();
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  const fleet = new Fleet({ directory });
  try {
    await fleet.add(1);
    const proxy = await startProxy({ podsFile: fleet.file, flags: ['--limits-sessions-per-user', '1000'] });
    try {
      const { failures, count } = await Promise.race([atProxy(proxy, sockets, seed), proxy.failed]);
      const seconds = (performance.now() - startMs) / 1000;
      const { sockets: cases, ...more } = count;
      return { ...{ target: 'WebSocket of the listener', cases, unit: 'sockets', seconds, failures }, more };
    } finally {
      await proxy.stop();
    }
  } finally {
    await fleet.stop();
    rmSync(directory, { recursive: true });
  }
}

interface Count {
  sockets: number;
  frames: number;
  codes: Record<string, number>;
}

async function atProxy(proxy: ProxyProcess, sockets: number, seed: number) {
  const bystanders = await Promise.all(
    Array.from({ length: BYSTANDERS }, (_, index) => Bystander.join(proxy.listenUrl, `bystander-${index}`)),
  );
  const atRest = (await proxy.metrics()).get('process_open_fds') ?? 0;
  const count: Count = { sockets: 0, frames: 0, codes: {} };
  const property = fc.asyncProperty(
    fc.array(conversation, { minLength: 1, maxLength: TOGETHER, size: 'max' }),
    async (peers) => {
      const wrong = await Promise.all(peers.map((peer) => talk(proxy, peer, count)));
      await Promise.all(bystanders.map((bystander) => bystander.isWell()));
      const faults = wrong.filter((fault) => fault !== undefined);
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  );
  // A batch is small, for each of its runs is many sockets.
  const failures = await inBatches({ property, seed, isEnough: () => count.sockets >= sockets, runs: 20 });
  failures.push(...(await leftBehind(proxy, atRest)));
  await Promise.all(bystanders.map((bystander) => bystander.leave()));
  return { failures, count };
}

/** Sessions and descriptors of peers that have left. */
async function leftBehind(proxy: ProxyProcess, atRest: number): Promise<string[]> {
  const untilMs = performance.now() + ANSWER_MAX_MS;
  for (;;) {
    const metrics = await proxy.metrics();
    const clients = metrics.get('holdfast_clients') ?? 0;
    const descriptors = metrics.get('process_open_fds') ?? 0;
    if (clients === BYSTANDERS && descriptors <= atRest + DESCRIPTORS_MORE) return [];
    if (performance.now() > untilMs) return [`${clients} clients and ${descriptors} descriptors are left`];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** One peer from its first octet to its end; what was wrong with the answer, in words. */
async function talk(proxy: ProxyProcess, peer: Conversation, count: Count): Promise<string | undefined> {
  const expected = expectedOf(peer.frames, LIMITS);
  // A close frame may also come between the parts of a message.
  const leaves = expected.kind === 'waits' && !expected.inFrame && peer.leaves === 'close';
  const frames = leaves ? [...peer.frames, LEAVE] : peer.frames;
  const wanted: Expected = leaves ? { kind: 'closed', codes: [1000] } : expected;
  const octets = Buffer.concat(frames.map((frame) => octetsOf(frame, peer.mask)));
  const heard = await exchange(proxy, peer, octets, wanted.kind === 'waits');
  count.sockets++;
  count.frames += frames.length;
  if (typeof heard === 'string') return `${heard}: ${JSON.stringify({ wanted, frames: frames.map(short) })}`;
  const code = codeOf(heard);
  const told = code === undefined ? 'cut' : String(code);
  count.codes[told] = (count.codes[told] ?? 0) + 1;
  return isRight(code, wanted, peer)
    ? undefined
    : `${told}, not ${JSON.stringify({ wanted, frames: frames.map(short) })}`;
}

function codeOf(heard: Buffer): number | undefined {
  const head = heard.indexOf('\r\n\r\n');
  return readServer(heard.subarray(head + 4)).code;
}

function isRight(code: number | undefined, wanted: Expected, { stomp }: Conversation): boolean {
  if (stomp && (code === undefined || STOMP_CODES.includes(code))) return true;
  if (wanted.kind === 'waits') return code === undefined;
  return code !== undefined && wanted.codes.includes(code);
}

/** All that the proxy said until the connection ended, or why that is wrong. */
function exchange(proxy: ProxyProcess, peer: Conversation, octets: Buffer, waits: boolean): Promise<Buffer | string> {
  const { hostname, port, host } = new URL(proxy.listenUrl);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const parts: Buffer[] = [];
    const timer = setTimeout(() => {
      resolve(`no end after ${ANSWER_MAX_MS} ms`);
      socket.destroy();
    }, ANSWER_MAX_MS);
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => {
      parts.push(part);
      // The close frame has come: a peer answers and ends, or only ends.
      if (!waits && hasClosed(parts)) socket.end();
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(parts));
    });
    socket.write(upgrade(host));
    socket.once('data', () => {
      for (const piece of cut(octets, peer.cuts)) socket.write(piece);
      if (!waits) return;
      if (peer.leaves === 'reset') socket.resetAndDestroy();
      else socket.end();
    });
  });
}

function hasClosed(parts: readonly Buffer[]): boolean {
  const heard = Buffer.concat(parts);
  const head = heard.indexOf('\r\n\r\n');
  return head >= 0 && readServer(heard.subarray(head + 4)).code !== undefined;
}

function upgrade(host: string): string {
  const lines = ['GET /ws HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Username: fuzz'];
  return [...lines, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', ''].join('\r\n');
}

function* cut(octets: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of cuts) {
    yield octets.subarray(at, at + size);
    at += size;
  }
  yield octets.subarray(at);
}

function short({ payload, announced, ...head }: Conversation['frames'][number]): object {
  const said = announced === undefined ? {} : { announced: String(announced) };
  return { ...head, ...said, payload: Buffer.from(payload.subarray(0, 40)).toString('latin1'), length: payload.length };
}
