/** The STOMP decoder alone: frames a CPU-second by the size of their body, and by how they are cut. */
import { Decoder, encode } from '../../stomp/index.ts';
import type { Outcome, Solo } from '../part.ts';
import { medianCpuMs } from './cpu-time.ts';

const BODY_SIZES = [0, 100, 1_000, 10_000, 60_000];
const CHUNK_BYTES = 64 * 1024;
/** Octets that one run reads. */
const RUN_BYTES = 16 * 1024 * 1024;
/** Small frames cost more by the octet; so many are enough. */
const RUN_FRAMES_MAX = 50_000;
const RUNS = 7;
const BYTES_PER_MB = 1e6;

export const decoder: Solo = {
  name: 'decoder',
  description: 'the STOMP decoder alone, by the size of the body and how the octets are cut',
  run: async () => {
    const outcomes: Record<string, Outcome> = {};
    for (const size of BODY_SIZES) {
      outcomes[`${size} B, a frame at a time`] = decode(size, 'frame');
      outcomes[`${size} B, chunks of 64 KiB`] = decode(size, 'chunk');
    }
    return outcomes;
  },
};

/** As a broker writes it. */
function message(bodySize: number): Uint8Array {
  const headers = { subscription: 'sub-0', 'message-id': '17-42', destination: '/user/queue/news' };
  return encode('MESSAGE', { ...headers, 'content-type': 'application/json' }, 'x'.repeat(bodySize));
}

function decode(bodySize: number, cut: 'frame' | 'chunk'): Outcome {
  const frame = message(bodySize);
  const count = Math.min(RUN_FRAMES_MAX, Math.floor(RUN_BYTES / frame.length));
  const bytes = Buffer.concat(Array.from({ length: count }, () => frame));
  const step = cut === 'frame' ? frame.length : CHUNK_BYTES;
  const ms = medianCpuMs(RUNS, () => {
    const reader = new Decoder({ peer: 'server', limits: { maxFrameBytes: RUN_BYTES } });
    let found = 0;
    for (let at = 0; at < bytes.length; at += step) found += reader.push(bytes.subarray(at, at + step)).length;
    if (found !== count) throw new Error(`${found} of ${count} frames were found`);
  });
  const seconds = ms / 1000;
  return { figures: { 'frames/CPU-second': count / seconds, 'MB/CPU-second': bytes.length / BYTES_PER_MB / seconds } };
}
