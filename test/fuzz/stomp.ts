/**
 * The STOMP decoder at length, against the oracle of test/stomp: frames of every command with the headers that brokers and
 * attackers send, whole, damaged and cut anywhere; with the limits of production and with tight ones.
 */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { WINDOW_BYTES } from '../../proxy/relay/frame-runs.ts';
import { DEFAULT_LIMITS, Decoder, encode, type Frame, type Peer, rewrite, type Version } from '../../stomp/index.ts';
import { OPCODE, frame as webSocketFrame } from '../../websocket/index.ts';
import { runAgrees } from '../relay/run-agrees.ts';
import { glanceAgrees } from '../stomp/glance-agrees.ts';
import { latin1, type PlainFrame, type Reading, type Rules, readAll } from '../stomp/oracle.ts';
import { HeapWatch, inBatches, leaks, type Report } from './report.ts';

const COMMANDS = {
  client: ['SEND', 'SEND', 'SEND', 'CONNECT', 'STOMP', 'SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT'],
  server: ['MESSAGE', 'MESSAGE', 'MESSAGE', 'CONNECTED', 'RECEIPT', 'ERROR'],
} as const;
const WITH_BODY = ['SEND', 'MESSAGE', 'ERROR'];

const name = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom(
      'destination',
      'id',
      'receipt',
      'ack',
      'content-type',
      'heart-beat',
      'holdfast-id',
      'é',
      'a b',
    ),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '😀', '\ufeffbom'),
  },
  { weight: 1, arbitrary: fc.constantFrom('content-length', ' lead', '', 'a\\cb', 'a\\nb', 'a\\tb') },
);
const value = fc.oneof(
  {
    weight: 90,
    arbitrary: fc.constantFrom('/user/queue/a', '1', 'auto', '0,0', '', ' both ', 'é😀', 'a:b:c', '__proto__'),
  },
  { weight: 9, arbitrary: fc.constantFrom('\\c', '\\n\\\\', '99999999999999999999') },
  { weight: 1, arbitrary: fc.constantFrom('\\t', '\\', 'a\rb', '\\r', '-1', '0x10') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9000 }).map((length) => 'v'.repeat(length)) },
);
const eol = fc.oneof({ weight: 12, arbitrary: fc.constant('\n') }, { weight: 1, arbitrary: fc.constant('\r\n') });
const headers = fc.oneof(
  { weight: 100, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.tuple(name, fc.constant('v')), { minLength: 60, maxLength: 70 }) },
);
const body = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom('', 'hello', '{"n":1}', 'a\0b', '\0', '\n\n\0', '😀') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 70_000 }).map((length) => 'b'.repeat(length)) },
);
/** Octets of the whole stream that are put in, taken out or changed. */
const damage = fc.record({
  at: fc.nat(),
  octet: fc.oneof(fc.constantFrom(0, 10, 13, 58, 92), fc.integer({ min: 0, max: 255 })),
  kind: fc.constantFrom('set' as const, 'add' as const, 'drop' as const),
});

const frame = (peer: Peer) =>
  fc
    .tuple(fc.constantFrom(...COMMANDS[peer]), headers, eol, body, fc.integer({ min: 0, max: 99 }))
    .map(([command, pairs, end, text, dice]) => {
      const bodyText = WITH_BODY.includes(command) ? text : '';
      // A length that is right, absent, or (rarely) wrong.
      const length = Buffer.byteLength(bodyText) + (dice === 0 ? 1 : 0);
      const own = bodyText.includes('\0') || dice < 50 ? [`content-length:${length}`] : [];
      const lines = [command, ...own, ...pairs.map(([key, text]) => `${key}:${text}`), '', ''];
      return `${lines.join(end)}${bodyText}\0${dice > 90 ? '\n\r\n' : ''}`;
    });

const rules: fc.Arbitrary<Rules> = fc.record({
  peer: fc.constantFrom<Peer>('client', 'server'),
  version: fc.constantFrom<Version>('1.0', '1.1', '1.2'),
  strict: fc.boolean(),
  limits: fc.constantFrom(DEFAULT_LIMITS, DEFAULT_LIMITS, { maxFrameBytes: 512, maxHeaderBytes: 128, maxHeaders: 4 }),
});

/** A stream, the rules to read it by, and the lengths of its chunks. */
const stream = rules.chain((rule) =>
  fc.record({
    rule: fc.constant(rule),
    frames: fc.array(frame(rule.peer), { minLength: 1, maxLength: 10, size: 'max' }),
    damages: fc.oneof(
      { weight: 5, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(damage, { minLength: 1, maxLength: 3 }) },
    ),
    sizes: fc.array(fc.integer({ min: 1, max: 4096 }), { minLength: 1, maxLength: 4 }),
  }),
);

/** Frames of a pod as WebSocket messages, in one read. @returns how many of them are a run */
function frameRun(frames: readonly Uint8Array[], { limits }: Rules): number {
  const octets = Buffer.concat(frames.map((one) => webSocketFrame(OPCODE.text, one, false)));
  return octets.length > WINDOW_BYTES ? 0 : runAgrees(octets, 0, limits).frames;
}

export interface StompFuzz {
  /** At least so many are read, or found wrong. */
  readonly frames: number;
  readonly seed: number;
}

export async function fuzzStomp({ frames: wanted, seed }: StompFuzz): Promise<Report> {
  const startMs = performance.now();
  const heap = new HeapWatch();
  const count = { frames: 0, plain: 0, runs: 0, streams: 0, octets: 0, errors: {} as Record<string, number> };
  const property = fc.property(stream, ({ rule, frames, damages, sizes }) => {
    const whole = damaged(Buffer.from(frames.join('')), damages);
    const reading = readInChunks(whole, sizes, rule);
    deepStrictEqual(reading, readAll(whole, rule));
    glanceAgrees(whole, rule);
    for (const one of frames) if (glanceAgrees(Buffer.from(one), rule)) count.plain++;
    const run = frameRun(
      frames.map((one) => Buffer.from(one)),
      rule,
    );
    count.runs += run;
    // What stands behind an error is read by nobody, so it does not count.
    count.frames += reading.frames.length + (reading.error === undefined ? 0 : 1);
    count.streams++;
    count.octets += whole.length;
    if (reading.error !== undefined) count.errors[reading.error] = (count.errors[reading.error] ?? 0) + 1;
  });
  const isEnough = () => {
    heap.at(count.frames / wanted);
    return count.frames >= wanted;
  };
  const failures = await inBatches({ property, seed, isEnough });
  const figures = heap.figures;
  return {
    ...{ target: 'STOMP decoder', cases: count.frames, unit: 'frames', heapMB: figures },
    seconds: (performance.now() - startMs) / 1000,
    failures: [...failures, ...leaks(figures)],
    more: { streams: count.streams, plain: count.plain, runs: count.runs, octets: count.octets, errors: count.errors },
  };
}

function damaged(whole: Buffer, damages: readonly { at: number; octet: number; kind: 'set' | 'add' | 'drop' }[]) {
  if (damages.length === 0) return new Uint8Array(whole);
  const octets = [...whole];
  for (const { at, octet, kind } of damages)
    octets.splice(at % (octets.length + 1), kind === 'add' ? 0 : 1, ...(kind === 'drop' ? [] : [octet]));
  return Uint8Array.from(octets);
}

function readInChunks(whole: Uint8Array, sizes: readonly number[], rule: Rules): Reading {
  const decoder = new Decoder(rule);
  const frames: Frame[] = [];
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy each, as from a socket.
    for (const found of decoder.push(whole.slice(at, at + size))) if (found !== 'beat') frames.push(found);
    if (decoder.bufferedBytes > rule.limits.maxFrameBytes) throw new Error(`${decoder.bufferedBytes} octets are kept`);
    at += size;
  }
  for (const frame of frames) rewritten(frame, rule);
  return { frames: frames.map(plain), error: decoder.error?.code, rest: decoder.bufferedBytes };
}

/** What the proxy does to frames of pods and clients must work for every frame that is read. */
function rewritten(frame: Frame, { peer, version, strict, limits }: Rules): void {
  const bytes = rewrite(frame, { drop: (name) => name === 'receipt', add: { 'holdfast-id': '1' } }, version);
  const roomy = { maxFrameBytes: limits.maxFrameBytes + 64, maxHeaderBytes: limits.maxHeaderBytes + 64 };
  const decoder = new Decoder({ peer, version, strict, limits: { ...roomy, maxHeaders: limits.maxHeaders + 1 } });
  const [again, ...more] = decoder.push(bytes);
  if (again === undefined || again === 'beat' || more.length > 0) throw new Error(`rewritten: ${decoder.error?.code}`);
  if (again.header('holdfast-id') !== '1') throw new Error('rewritten: the added header is not first');
  deepStrictEqual(latin1(again.body), latin1(frame.body));
}

function plain(frame: Frame): PlainFrame {
  return {
    command: frame.command,
    raw: latin1(frame.bytes),
    headerLines: Array.from(frame.headerLines(), latin1),
    headers: Array.from(frame.headers(), ([name, value]) => [name, value]),
    body: latin1(frame.body),
  };
}

/** A frame as a client could mean it, for the fuzzers of what stands behind the decoder. */
export const clientFrame: fc.Arbitrary<Uint8Array> = frame('client').map((text) => new Uint8Array(Buffer.from(text)));
export const CONNECT = encode('CONNECT', { 'accept-version': '1.2', host: 'x' });
