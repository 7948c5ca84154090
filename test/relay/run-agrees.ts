/** A run beside what finds it frame by frame: the reader of frames, and the glance. */
import { deepStrictEqual } from 'node:assert';
import { FrameRuns } from '../../proxy/relay/frame-runs.ts';
import { checkedLimits, type DecoderLimits, Glance } from '../../stomp/index.ts';
import { FrameReader, type WholeFrame } from '../../websocket/index.ts';

/** Says that 64 bits of length follow: such a frame is never part of a run. */
const LENGTH_64 = 127;
const MARKS = ['holdfast-id', 'receipt'];

export interface Run {
  readonly end: number;
  readonly frames: number;
}

const known = new Map<Partial<DecoderLimits>, { readonly runs: FrameRuns; readonly glance: Glance }>();

function bothFor(limits: Partial<DecoderLimits>) {
  const both = known.get(limits) ?? {
    runs: new FrameRuns(checkedLimits(limits), MARKS),
    glance: new Glance({ command: 'MESSAGE', watched: [], marks: MARKS, limits }),
  };
  known.set(limits, both);
  return both;
}

/** What begins like a mark need not be one, and is left to the glance all the same. */
function beginsLikeAMark(octets: Uint8Array): boolean {
  const [head = ''] = Buffer.from(octets).toString('latin1').split('\n\n');
  return head.split('\n').some((line) => MARKS.some((mark) => line[0] === mark[0]));
}

function oneByOne(octets: Uint8Array, from: number, glance: Glance): Run {
  const run = { end: from, frames: 0 };
  const goesOn = ({ from: at, to, payloadAt, octets: chunk }: WholeFrame) => {
    if (chunk[at + 1] === LENGTH_64) return false;
    const isPlain = glance.isPlain(chunk, payloadAt, to) && !glance.isMarked;
    if (!isPlain || beginsLikeAMark(chunk.subarray(payloadAt, to))) return false;
    run.end = from + to;
    run.frames++;
    return true;
  };
  let isOver = false;
  const over = () => {
    isOver = true;
    reader.stop();
  };
  const reader = new FrameReader(
    { peer: 'server', maxMessageBytes: Number.MAX_SAFE_INTEGER, maxParts: 1, checksText: false },
    {
      onFrame: (frame) => !isOver && goesOn(frame),
      ...{ onMessage: over, onPing: over, onPong: over, onClose: over, onFault: over },
    },
  );
  reader.push(Uint8Array.from(octets.subarray(from)));
  return run;
}

/** Throws when a run from `from` on is another one than frame by frame. @returns it */
export function runAgrees(octets: Uint8Array, from: number, limits: Partial<DecoderLimits>): Run {
  const { runs, glance } = bothFor(limits);
  const end = runs.endOf(octets, from, octets.length);
  const run = { end, frames: end === from ? 0 : runs.frames };
  deepStrictEqual(run, oneByOne(octets, from, glance));
  return run;
}
