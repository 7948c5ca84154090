/**
 * Where the lines of the log go: to a stream whose reader may be slow, stuck or gone, at no cost to the sessions.
 *
 * The lines of one turn of the event loop are written together at its end, since each write costs more than making the line;
 * what the reader does not take waits in the stream, in bounds; what finds no room, or cannot be written, is lost and counted.
 * Nothing is written twice and nothing is waited for: a log that is behind must not hold a frame, nor keep a process that is to end. (pino's own destination has no bound, and at the end of the process it writes synchronously
 * until the reader has taken everything, for ever when that reader is gone: sonic-boom, `flushSync`.)
 */

/** What a log needs of `process.stdout`. Who has the stream listens for its errors. */
export interface LogSink {
  write(line: Uint8Array, done: (error?: Error | null) => void): unknown;
  /** Bytes that were given and are not written yet. */
  readonly writableLength: number;
}

/** Some thousand lines: a reader that is restarted misses nothing, and one that is stuck costs no memory worth a thought. */
export const LOG_BUFFER_BYTES = 1024 * 1024;

export interface LogLosses {
  /** Lines that nobody will read. */
  readonly linesLost: number;
}

/** What was said and not written yet: at most a turn's. */
interface Turn {
  readonly lines: string[];
  bytes: number;
}

export class LogOutput implements LogLosses {
  readonly #sink: LogSink;
  readonly #tell: (lines: number) => void;
  #turn: Turn | undefined;
  #linesLost = 0;
  #linesTold = 0;

  /** @param tell is told how many lines were lost, each time that all the others have been written */
  constructor(sink: LogSink, tell: (lines: number) => void) {
    this.#sink = sink;
    this.#tell = tell;
  }

  get linesLost(): number {
    return this.#linesLost;
  }

  /** @param line with its line feed */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#sink.writableLength + (this.#turn?.bytes ?? 0) + bytes > LOG_BUFFER_BYTES) {
      this.#linesLost += 1;
      return;
    }
    this.#turn ??= this.#newTurn();
    this.#turn.lines.push(line);
    this.#turn.bytes += bytes;
  }

  /** Gives the stream what was said; to be called when there is no next turn, at the end of the process. */
  flush(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    const { lines } = turn;
    this.#sink.write(Buffer.from(lines.join('')), (error) => this.#written(lines.length, error));
  }

  #newTurn(): Turn {
    setImmediate(() => this.flush());
    return { lines: [], bytes: 0 };
  }

  #written(lines: number, error: Error | null | undefined): void {
    if (error) this.#linesLost += lines;
    else if (this.#sink.writableLength === 0) this.#tellLosses();
  }

  #tellLosses(): void {
    const lines = this.#linesLost - this.#linesTold;
    this.#linesTold = this.#linesLost;
    if (lines > 0) this.#tell(lines);
  }
}
