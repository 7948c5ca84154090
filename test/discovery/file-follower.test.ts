import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileFollower } from '../../proxy/discovery/file-follower.ts';
import { type FileReading, signatureOfFile } from '../../proxy/discovery/file-reader.ts';
import { ManualClock } from './manual-clock.ts';

let folder: string;
let follower: FileFollower;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
});
afterEach(async () => {
  await follower.stop();
  await rm(folder, { recursive: true });
});

/** A follower of a file whose readings the test gives, one after the other; the last one again and again. */
async function followed(readings: (FileReading | Error)[]) {
  const path = join(folder, 'file');
  await writeFile(path, '');
  const signature = await signatureOfFile(path);
  const clock = new ManualClock();
  const told: string[] = [];
  let reads = 0;
  let looked = Promise.withResolvers<void>();
  const read = async () => {
    const reading = readings[Math.min(reads, readings.length - 1)];
    reads += 1;
    setImmediate(() => looked.resolve());
    if (reading === undefined || reading instanceof Error) throw reading;
    return reading.signature === SAME ? { ...reading, signature } : reading;
  };
  const times = { pollMs: 1000, quietMs: 30, maxQuietMs: 200, maxBytes: 100 };
  const onText = (text: string) => void told.push(text);
  const onError = (error: Error) => void told.push(`error: ${error.message}`);
  follower = new FileFollower({ path, clock, read, ...times, onText, onError });
  follower.start();
  await looked.promise;
  /** Lets time pass until the file is read again. */
  const again = async (ms: number) => {
    looked = Promise.withResolvers<void>();
    clock.advance(ms);
    await looked.promise;
  };
  return { told, again, pass: (ms: number) => clock.advance(ms), reads: () => reads };
}

/** Stands for the signature of the real file. */
const SAME = 'same';
const text = (content: string): FileReading => ({ signature: content, kind: 'text', text: content });
const torn: FileReading = { signature: 'torn', kind: 'torn' };

describe('a file follower', () => {
  it('reads a file that changed meanwhile again, after a pause, and says so when that never ends', async () => {
    const { told, again } = await followed([torn]);
    for (let reads = 1; reads < 9; reads += 1) await again(30);
    expect(told).toEqual([]);
    await again(30);
    expect(told).toEqual([expect.stringContaining('error: it keeps changing while it is read')]);
    for (let reads = 11; reads <= 19; reads += 1) await again(30);
    expect(told).toHaveLength(1);
  });

  it('forgets about torn readings with the first whole one', async () => {
    const { told, again } = await followed([...Array(9).fill(torn), text('a'), torn]);
    for (let reads = 1; reads < 10; reads += 1) await again(30);
    expect(told).toEqual(['a']);
    await again(1000);
    for (let reads = 11; reads < 19; reads += 1) await again(30);
    expect(told).toEqual(['a']);
  });

  it('tries again at each poll what it may not read', async () => {
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    const { told, again } = await followed([denied, denied, text('a')]);
    await again(1000);
    expect(told).toEqual(['error: no permission to read it', 'error: no permission to read it']);
    await again(1000);
    expect(told.at(-1)).toBe('a');
  });

  it('tells the same text again only after an error', async () => {
    const broken = new Error('EIO: i/o error');
    const { told, again } = await followed([text('a'), text('a'), broken, text('a')]);
    for (let polls = 0; polls < 3; polls += 1) await again(1000);
    expect(told).toEqual(['a', 'error: EIO: i/o error', 'a']);
  });

  it('reads after an event even when the signature is the same, and after none only when it is not', async () => {
    const same = (content: string): FileReading => ({ signature: SAME, kind: 'text', text: content });
    const { told, again, pass, reads } = await followed([same('a'), same('b'), same('c')]);
    pass(1000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads()).toBe(1);
    await writeFile(join(folder, 'other'), '');
    while (told.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.race([again(30), new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    expect(told).toEqual(['a', 'b']);
  });
});
