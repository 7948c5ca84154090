/**
 * Follows one file through everything that programs do to files: writing in place, truncating first, renaming a new file over it
 * (editors), swapping a symlink beside it (ConfigMap volumes of Kubernetes), deleting it, deleting its whole folder.
 *
 * Directories are watched and not the file, since a watch on a file follows the old inode away. What a watch cannot see (network
 * file systems, a folder that is made later, too few inotify watches) the poll sees by the file's signature. After an event the
 * file is read whatever its signature: two writes within one tick of the kernel's clock can leave the same one.
 */
import { type FSWatcher, watch } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from './clock.ts';
import { codeOf, DiscoveryError, messageOf } from './discovery-error.ts';
import { type FileReading, readWholeFile, signatureOfFile } from './file-reader.ts';
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
  /** Default: from the file system. */
  readonly read?: typeof readWholeFile;
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
  readonly #options: Required<FileFollowerOptions>;
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
    this.#options = { read: readWholeFile, ...options };
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
    const { path, read, maxBytes } = this.#options;
    try {
      if (!told && (await signatureOfFile(path)) === this.#signature) return;
      const reading = await read(path, maxBytes);
      if (this.#running) this.#judge(reading);
    } catch (error) {
      if (this.#running) this.#unreadable(error);
    }
  }

  #judge(reading: FileReading): void {
    this.#signature = reading.signature;
    if (reading.kind === 'torn') return this.#torn();
    this.#tornReads = 0;
    if (reading.kind === 'bad') return this.#tell(reading.error);
    if (reading.text === this.#text) return;
    this.#text = reading.text;
    this.#options.onText(reading.text);
  }

  #torn(): void {
    this.#tornReads += 1;
    if (this.#tornReads % MAX_TORN_READS === 0) {
      this.#tell(
        new DiscoveryError('it keeps changing while it is read; write a new file and rename it over this one'),
      );
    }
    this.#somethingHappened();
  }

  #unreadable(error: unknown): void {
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    if (missing && this.#signature === 'missing') return;
    // A file that is missing is missing; any other reason may go away without a trace, so the next poll tries again.
    this.#signature = missing ? 'missing' : '';
    this.#tell(explain(error, missing));
  }

  #tell(error: DiscoveryError): void {
    this.#text = undefined;
    this.#options.onError(error);
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

function explain(error: unknown, missing: boolean): DiscoveryError {
  if (missing) return new DiscoveryError('the file is not there; make it, or name the right one');
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return new DiscoveryError('no permission to read it');
  return new DiscoveryError(messageOf(error));
}
