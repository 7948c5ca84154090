/**
 * Follows one file through everything that programs do to files: writing in place, truncating first, renaming a new file over it
 * (editors), swapping a symlink beside it (ConfigMap volumes of Kubernetes), deleting it, deleting its whole folder.
 *
 * Directories are watched and not the file, since a watch on a file follows the old inode away. What a watch cannot see (network
 * file systems, a folder that is made later, too few inotify watches) the poll sees by the file's signature. After an event the
 * file is read whatever its signature: two writes within one tick of the kernel's clock can leave the same one.
 */
import { type BigIntStats, type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import { codeOf, DiscoveryError, messageOf } from './discovery-error.ts';
import { Settle } from './settle.ts';

export interface FileFollowerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** How often the file's state is asked for, whatever the watches say. */
  readonly pollMs: number;
  /** The file is read when this long nothing happened to it, so that writes in pieces are read as one. */
  readonly quietMs: number;
  /** The longest that constant events can put the reading off. */
  readonly maxQuietMs: number;
  readonly maxBytes: number;
  /** The whole text, when it is another than last time or follows an error. */
  readonly onText: (text: string) => void;
  /** The file cannot be read now. Called once for each state of the file, again at each poll when only the reading failed. */
  readonly onError: (error: DiscoveryError) => void;
}

/**
 * Events between two looks at the file. A writer that never pauses makes 150,000 events a second, and hearing them all takes a
 * whole core (measured: 90 % of one, with this bound 17 %); after so many the watches are taken away until the next look.
 */
const MAX_EVENTS = 100;
/** Readings in a row during which the file changed. A writer that is caught so often never pauses. */
const MAX_TORN_READS = 10;

export class FileFollower {
  readonly #options: FileFollowerOptions;
  readonly #watchers = new Map<string, { watcher: FSWatcher; directory: string }>();
  readonly #settle: Settle;
  #signature = '';
  #text: string | undefined;
  #tornReads = 0;
  #events = 0;
  #running = false;
  #busy: Promise<void> | undefined;
  #cancelTimer = (): void => {};
  #pollAt = 0;

  constructor(options: FileFollowerOptions) {
    this.#options = options;
    this.#settle = new Settle({ quietMs: options.quietMs, maxMs: options.maxQuietMs });
  }

  start(): void {
    this.#running = true;
    this.#check();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer();
    this.#closeWatchers();
    await this.#busy;
  }

  #closeWatchers(): void {
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #schedule(): void {
    this.#cancelTimer();
    if (!this.#running || this.#busy !== undefined) return;
    const delayMs = Math.max(0, Math.min(this.#pollAt, this.#settle.deadline()) - this.#options.clock.now());
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#check());
  }

  readonly #somethingHappened = (): void => {
    this.#events += 1;
    if (this.#events >= MAX_EVENTS) this.#closeWatchers();
    this.#settle.changed(this.#options.clock.now());
    this.#schedule();
  };

  #check(): void {
    const told = this.#settle.deadline() !== Infinity;
    this.#settle.clear();
    this.#events = 0;
    this.#busy = this.#look(told).finally(() => {
      this.#busy = undefined;
      this.#pollAt = this.#options.clock.now() + this.#options.pollMs;
      this.#schedule();
    });
  }

  async #look(told: boolean): Promise<void> {
    // Watches first: what happens to the file after they stand is seen, what happened before is read below.
    await this.#watchDirectories();
    try {
      const stats = await stat(this.#options.path, { bigint: true });
      if (!told && signatureOf(stats) === this.#signature) return;
      // Asked before opening: opening a pipe waits for a writer.
      if (!stats.isFile()) throw new DiscoveryError('it is not a regular file');
      const text = await this.#read();
      if (text === undefined) this.#torn();
      else this.#whole(text);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The text, or undefined when the file changed while it was read. */
  async #read(): Promise<string | undefined> {
    const file = await open(this.#options.path, 'r');
    try {
      const before = signatureOf(await file.stat({ bigint: true }));
      this.#signature = before;
      const bytes = await readBounded(file, this.#options.maxBytes);
      const after = signatureOf(await file.stat({ bigint: true }));
      return before === after ? decode(bytes) : undefined;
    } finally {
      await file.close();
    }
  }

  #whole(text: string): void {
    this.#tornReads = 0;
    if (!this.#running || text === this.#text) return;
    this.#text = text;
    this.#options.onText(text);
  }

  #torn(): void {
    this.#tornReads += 1;
    if (this.#tornReads % MAX_TORN_READS === 0) {
      this.#failed(
        new DiscoveryError('it keeps changing while it is read; write a new file and rename it over this one'),
      );
    }
    this.#somethingHappened();
  }

  #failed(error: unknown): void {
    if (!this.#running) return;
    this.#text = undefined;
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    if (missing && this.#signature === 'missing') return;
    // The text of a file that could be read is judged once; a reading that failed is tried again at each poll.
    if (missing) this.#signature = 'missing';
    else if (!(error instanceof DiscoveryError)) this.#signature = '';
    this.#options.onError(explain(error, missing));
  }

  /** The file's folder, and the folder that its symlinks end in; a folder that was made anew is another folder. */
  async #watchDirectories(): Promise<void> {
    const wanted = new Map<string, string>();
    for (const directory of [dirname(this.#options.path), await realDirectory(this.#options.path)]) {
      if (directory === undefined) continue;
      const stats = await stat(directory, { bigint: true }).catch(() => undefined);
      if (stats !== undefined) wanted.set(`${stats.dev}:${stats.ino}`, directory);
    }
    if (!this.#running) return;
    for (const [key, { watcher }] of this.#watchers) {
      if (wanted.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
    for (const [key, directory] of wanted) if (!this.#watchers.has(key)) this.#watch(key, directory);
  }

  #watch(key: string, directory: string): void {
    try {
      const watcher = watch(directory, this.#somethingHappened);
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(key);
      });
      this.#watchers.set(key, { watcher, directory });
    } catch {
      // No inotify watch to be had: the poll does the work, and tries again to watch.
    }
  }
}

async function realDirectory(path: string): Promise<string | undefined> {
  return realpath(path).then(dirname, () => undefined);
}

function signatureOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

async function readBounded(file: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > maxBytes) throw new DiscoveryError(`it is larger than ${maxBytes} bytes`);
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DiscoveryError('it is not UTF-8 text');
  }
}

function explain(error: unknown, missing: boolean): DiscoveryError {
  if (missing) return new DiscoveryError('the file is not there; make it, or name the right one');
  if (error instanceof DiscoveryError) return error;
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return new DiscoveryError('no permission to read it');
  return new DiscoveryError(messageOf(error));
}
