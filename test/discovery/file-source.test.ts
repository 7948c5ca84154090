/** The pods file on a real file system, through all that programs do to files. */
import { writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fileSource } from '../../proxy/discovery/index.ts';
import { temporaryFolder } from './fake-api/index.ts';
import { FastClock } from './fast-clock.ts';
import { Recorder } from './recorder.ts';

const HOUR_MS = 3_600_000;
const text = (...names: string[]) =>
  names.map((name, i) => `- {name: ${name}, address: "10.0.0.${i + 1}:8080"}\n`).join('');

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folderOf(): Promise<string> {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

/** Polls once an hour unless told otherwise: what is noticed at all is noticed by the watches. */
async function follow(path: string, pollMs = HOUR_MS) {
  const recorder = new Recorder();
  const source = fileSource({ path, log: recorder.log, pollMs });
  cleanups.push(() => source.stop());
  recorder.start(source);
  return { recorder, status: (now = performance.now()) => source.status(now) };
}

async function followA() {
  const folder = await folderOf();
  const path = join(folder, 'pods.yaml');
  await writeFile(path, text('a'));
  const followed = await follow(path);
  await followed.recorder.untilPods('a=10.0.0.1:8080');
  return { folder, path, ...followed };
}

const AB = 'a=10.0.0.1:8080 b=10.0.0.2:8080';

describe('a change is noticed when the file is', () => {
  it('written in place', async () => {
    const { path, recorder } = await followA();
    await writeFile(path, text('a', 'b'));
    await recorder.untilPods(AB);
  });

  it('replaced by a rename, again and again', async () => {
    const { folder, path, recorder } = await followA();
    for (const names of [['a', 'b'], ['a'], ['a', 'b']]) {
      await writeFile(join(folder, 'new'), text(...names));
      await rename(join(folder, 'new'), path);
      await recorder.untilPods(names.length === 2 ? AB : 'a=10.0.0.1:8080');
    }
  });

  it('moved away and written anew, as some editors do', async () => {
    const { folder, path, recorder } = await followA();
    await rename(path, join(folder, 'pods.yaml~'));
    await writeFile(path, text('a', 'b'));
    await recorder.untilPods(AB);
    expect(recorder.warnings).toEqual([]);
  });

  it('truncated first and written piece by piece', async () => {
    const { path, recorder } = await followA();
    const file = await open(path, 'w');
    for (const piece of ['- {name: a, addr', 'ess: "10.0.0.1:8080"}\n', '- {name: b, address: "10.0.0.2:8080"}\n']) {
      await file.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await file.close();
    await recorder.untilPods(AB);
    expect(recorder.warnings).toEqual([]);
    expect(recorder.topologies).toHaveLength(2);
  });

  it('mounted from a ConfigMap, whose update swaps a symlink beside it', async () => {
    const folder = await folderOf();
    const version = async (name: string, content: string) => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'pods.yaml'), content);
    };
    await version('..2026_1', text('a'));
    await symlink('..2026_1', join(folder, '..data'));
    await symlink('..data/pods.yaml', join(folder, 'pods.yaml'));
    const { recorder } = await follow(join(folder, 'pods.yaml'));
    await recorder.untilPods('a=10.0.0.1:8080');
    for (const [name, names] of [
      ['..2026_2', ['a', 'b']],
      ['..2026_3', ['a']],
    ] as const) {
      await version(name, text(...names));
      await symlink(name, join(folder, '..data_tmp'));
      await rename(join(folder, '..data_tmp'), join(folder, '..data'));
      await recorder.untilPods(names.length === 2 ? AB : 'a=10.0.0.1:8080');
    }
    expect(recorder.warnings).toEqual([]);
  });

  it('a symlink to a file in another folder that is written in place', async () => {
    const folder = await folderOf();
    await mkdir(join(folder, 'far'));
    await writeFile(join(folder, 'far', 'real.yaml'), text('a'));
    await mkdir(join(folder, 'near'));
    await symlink('../far/real.yaml', join(folder, 'near', 'pods.yaml'));
    const { recorder } = await follow(join(folder, 'near', 'pods.yaml'));
    await recorder.untilPods('a=10.0.0.1:8080');
    await writeFile(join(folder, 'far', 'real.yaml'), text('a', 'b'));
    await recorder.untilPods(AB);
  });

  it('written while nothing watches it: the poll finds it', async () => {
    const folder = await folderOf();
    for (const name of ['near', 'middle', 'far']) await mkdir(join(folder, name));
    await symlink('../middle/link.yaml', join(folder, 'near', 'pods.yaml'));
    await symlink('../far/real.yaml', join(folder, 'middle', 'link.yaml'));
    await writeFile(join(folder, 'far', 'real.yaml'), text('a'));
    await writeFile(join(folder, 'far', 'other.yaml'), text('a', 'b'));
    const { recorder } = await follow(join(folder, 'near', 'pods.yaml'), 20);
    await recorder.untilPods('a=10.0.0.1:8080');
    // Neither the first nor the last folder of the chain sees this.
    await symlink('../far/other.yaml', join(folder, 'middle', 'new'));
    await rename(join(folder, 'middle', 'new'), join(folder, 'middle', 'link.yaml'));
    await recorder.untilPods(AB);
  });

  it('made after the start, in a folder that was not there either', async () => {
    const folder = await folderOf();
    const path = join(folder, 'later', 'pods.yaml');
    const { recorder, status } = await follow(path, 20);
    await recorder.untilLine(
      'the file is not there; make it, or name the right one (there are no pods until it is good)',
    );
    expect(status().ready).toBe(false);
    await mkdir(join(folder, 'later'));
    await writeFile(path, text('a'));
    await recorder.untilPods('a=10.0.0.1:8080');
    expect(status()).toMatchObject({ ready: true, staleMs: 0 });
  });

  it('in a folder that is deleted and made anew', async () => {
    const folder = await folderOf();
    const path = join(folder, 'inner', 'pods.yaml');
    await mkdir(join(folder, 'inner'));
    await writeFile(path, text('a'));
    const { recorder } = await follow(path, 20);
    await recorder.untilPods('a=10.0.0.1:8080');
    await rm(join(folder, 'inner'), { recursive: true });
    await recorder.untilLine('the file is not there');
    await mkdir(join(folder, 'inner'));
    await writeFile(path, text('a', 'b'));
    await recorder.untilPods(AB);
  });

  it('written to without pause: constant events do not put the reading off for ever', async () => {
    const { folder, path, recorder } = await followA();
    let busy = true;
    const noise = (async () => {
      while (busy) {
        await writeFile(join(folder, 'noise'), 'x');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    await writeFile(path, text('a', 'b'));
    await recorder.untilPods(AB);
    busy = false;
    await noise;
  });
});

it('is still followed after a burst of events that took the watches away', async () => {
  const { folder, path, recorder } = await followA();
  for (const names of [['a', 'b'], ['a']]) {
    for (let i = 0; i < 300; i += 1) writeFileSync(join(folder, 'noise'), `${i}`);
    await writeFile(path, text(...names));
    await recorder.untilPods(names.length === 2 ? AB : 'a=10.0.0.1:8080');
  }
});

describe('the last good pods stay', () => {
  it.each([
    ['deleted', (path: string) => rm(path), 'the file is not there; make it, or name the right one'],
    ['empty', (path: string) => writeFile(path, ''), 'the file is empty; write [] when there really are no pods'],
    ['wrong', (path: string) => writeFile(path, '- {name: a}\n'), 'line 1 (entry 1): "address" is missing'],
    ['no text', (path: string) => writeFile(path, Uint8Array.of(0xff, 0xfe)), 'it is not UTF-8 text'],
    ['a folder', (path: string) => rm(path).then(() => mkdir(path)), 'it is not a regular file'],
    [
      'too large',
      (path: string) => writeFile(path, `${text('a', 'b')}#${'x'.repeat(1024 * 1024)}`),
      'it is larger than 1048576 bytes',
    ],
  ])('when the file is %s', async (_what, damage, message) => {
    const { folder, path, recorder, status } = await followA();
    await damage(path);
    await recorder.untilLine(message);
    expect(recorder.warnings).toEqual([
      expect.stringMatching(/^pods file .*pods\.yaml: .* \(the last good pods stay\)$/),
    ]);
    expect(recorder.topologies).toHaveLength(1);
    expect(status()).toMatchObject({ ready: true, failures: 1, lastError: recorder.warnings[0] });
    expect(status(performance.now() + 1000).staleMs).toBeGreaterThan(1000);
    await rm(path, { recursive: true, force: true });
    await writeFile(join(folder, 'new'), text('a', 'b'));
    await rename(join(folder, 'new'), path);
    await recorder.untilPods(AB);
    expect(status()).toMatchObject({ staleMs: 0 });
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
    expect(recorder.lines.map((line) => line.message)).toContain('the pods file is good again');
  });

  it.each([
    [1024 * 1024 - 1, 'good'],
    [1024 * 1024, 'good'],
    [1024 * 1024 + 1, 'too large'],
  ])('a file of %i bytes is %s', async (bytes, judgement) => {
    const { path, recorder } = await followA();
    const pods = text('a', 'b');
    await writeFile(path, `${pods}#${'x'.repeat(bytes - pods.length - 1)}`);
    if (judgement === 'good') await recorder.untilPods(AB);
    else await recorder.untilLine('it is larger than 1048576 bytes');
  });
});

it('says nothing of a file that was away for a moment', async () => {
  const folder = await folderOf();
  const path = join(folder, 'pods.yaml');
  await writeFile(path, text('a'));
  const recorder = new Recorder();
  // Slower than real time, so that a busy machine does not make the moment too long: 250 ms are 2.5 s.
  const source = fileSource({ path, log: recorder.log, clock: new FastClock(0.1) });
  cleanups.push(() => source.stop());
  recorder.start(source);
  await recorder.untilPods('a=10.0.0.1:8080');
  await rm(path);
  // Noticed after 300 ms of these.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await writeFile(path, text('a', 'b'));
  await recorder.untilPods(AB);
  expect(recorder.warnings).toEqual([]);
});

it('tells each distinct error once, and again only after the file was good', async () => {
  const { path, recorder, status } = await followA();
  const bad = async (content: string, failures: number) => {
    await writeFile(path, content);
    while (status().failures < failures) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await bad('- {name: x}\n', 1);
  await bad('- {name: yy}\n', 2);
  await bad('[', 3);
  await bad('- {name: x}\n', 4);
  expect(recorder.warnings).toEqual([
    expect.stringContaining('"address" is missing'),
    expect.stringContaining('not YAML or JSON'),
  ]);
  await writeFile(path, text('a'));
  await recorder.untilLine('the pods file is good again');
  await writeFile(path, '- {name: x}\n');
  await recorder.until(() => recorder.warnings.length === 3);
  // The pods had not changed meanwhile, so nobody was told of any.
  expect(recorder.topologies).toHaveLength(1);
});
