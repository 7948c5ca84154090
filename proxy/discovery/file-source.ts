import type { Log } from '../log.ts';
import { type Clock, systemClock } from './clock.ts';
import { DiscoveryError, messageOf } from './discovery-error.ts';
import { FileFollower } from './file-follower.ts';
import { parsePodsFile } from './pods-file.ts';
import { ProblemLog } from './problem-log.ts';
import { Publisher } from './publisher.ts';
import type { Pod, SourceStatus, Topology, TopologySource } from './topology.ts';
import { topologyOf } from './topology-of.ts';

export interface FileSourceOptions {
  /** YAML or JSON, see `pods-file.ts`. It need not exist yet. */
  readonly path: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Default 1000: only where the system tells nothing of a change does it take this long. */
  readonly pollMs?: number;
}

/** 10,000 pods need about 600 KB. */
const MAX_BYTES = 1024 * 1024;
/** Editors and `cp` write small files within a few milliseconds; a person does not notice 30. */
const QUIET_MS = 30;
const MAX_QUIET_MS = 200;
/**
 * A bad or missing file must stay so for this long before anybody is told: programs that delete and make anew, or truncate and
 * write slowly, pass through such states.
 */
const CONFIRM_MS = 250;

/** Pods from a file that is followed while it changes. The last good set stays whatever happens to the file. */
export function fileSource(options: FileSourceOptions): TopologySource {
  return new FileSource(options);
}

class FileSource implements TopologySource {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: ProblemLog;
  readonly #publisher: Publisher;
  readonly #follower: FileFollower;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #problem: { message: string; since: number } | undefined;
  /** Not yet told to anybody, see CONFIRM_MS. */
  #suspicion: string | undefined;
  #startedAt = 0;
  #failures = 0;
  #cancelConfirm = (): void => {};

  constructor({ path, log, clock = systemClock, pollMs = 1000 }: FileSourceOptions) {
    this.#path = path;
    this.#clock = clock;
    this.#log = new ProblemLog(log);
    this.#publisher = new Publisher(log);
    this.#follower = new FileFollower({
      path,
      clock,
      pollMs,
      quietMs: QUIET_MS,
      maxQuietMs: MAX_QUIET_MS,
      maxBytes: MAX_BYTES,
      onText: (text) => this.#read(text),
      onError: (error) => this.#suspect(error),
    });
  }

  start(onTopology: (topology: Topology) => void): void {
    if (this.#state !== 'new') throw new Error('a topology source can be started once');
    this.#state = 'started';
    this.#startedAt = this.#clock.now();
    this.#publisher.open(onTopology);
    this.#follower.start();
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    this.#publisher.close();
    this.#cancelConfirm();
    await this.#follower.stop();
  }

  status(now: number): SourceStatus {
    const ready = this.#publisher.last !== undefined;
    const since = this.#problem?.since ?? (ready || this.#state === 'new' ? now : this.#startedAt);
    return {
      source: 'file',
      ready,
      staleMs: Math.max(0, now - since),
      ...(this.#problem === undefined ? {} : { lastError: this.#problem.message }),
      problems: this.#problem === undefined ? 0 : 1,
      failures: this.#failures,
    };
  }

  #read(text: string): void {
    let pods: Pod[];
    try {
      pods = parsePodsFile(text);
    } catch (error) {
      return this.#suspect(error instanceof DiscoveryError ? error : new DiscoveryError(messageOf(error)));
    }
    this.#cancelConfirm();
    this.#suspicion = undefined;
    this.#problem = undefined;
    this.#log.recovered({ file: this.#path }, 'the pods file is good again');
    this.#publisher.publish(topologyOf(pods, 'file'));
  }

  #suspect(error: DiscoveryError): void {
    // One wait for a row of bad states: the last of them is told.
    const waiting = this.#suspicion !== undefined;
    this.#suspicion = error.message;
    if (waiting) return;
    const since = this.#clock.now();
    this.#cancelConfirm = this.#clock.after(CONFIRM_MS, () => this.#confirm(since));
  }

  #confirm(since: number): void {
    const kept = this.#publisher.last === undefined ? 'there are no pods until it is good' : 'the last good pods stay';
    const message = `pods file ${this.#path}: ${this.#suspicion} (${kept})`;
    this.#suspicion = undefined;
    this.#failures += 1;
    this.#problem = { message, since: this.#problem?.since ?? since };
    this.#log.problem({ file: this.#path }, message);
  }
}
