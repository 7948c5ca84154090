/**
 * Runs of WebSocket frames of a pod, each of them one plain MESSAGE: what can go to the client as it came, all at once.
 *
 * A run is what a FrameReader and a Glance find, frame by frame, without a mark: test/relay/frame-runs.test.ts and the fuzzer hold them to each
 * other. It is found in a sixth of the glance's time by a module of WebAssembly, which looks at sixteen octets at a time (docs/decisions/0021).
 */
import type { DecoderLimits } from '../../stomp/index.ts';
import { FRAME_RUNS_CODE } from './frame-runs-code.ts';

/** In what is longer no run is looked for. */
export const WINDOW_BYTES = 64 * 1024;
/** Octets that may be looked at together. */
const STRIDE_BYTES = 16;

/** The memory of a module: what is looked at, by which octets a header line may begin that is none of a run, and how many frames were found. */
const BEGINNINGS_AT = WINDOW_BYTES + STRIDE_BYTES;
const FRAMES_AT = BEGINNINGS_AT + 256;
const MEMORY_PAGES = 2;
const ENDS_RUN = 1;
const MAY_BE_CONTENT_LENGTH = 2;
const CONTENT_LENGTH = Buffer.from('content-length');
/** No name begins with these, or not the same in every version. */
const NO_NAME = Buffer.from(' \t:\r\0\\');

/** The part of WebAssembly that is used; Node has it, TypeScript has it among the types of browsers only. */
declare const WebAssembly: {
  readonly Memory: new (bounds: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { readonly exports: { endOf(at: number, end: number): number } };
};

const module = new WebAssembly.Module(Buffer.from(FRAME_RUNS_CODE, 'base64'));

export class FrameRuns {
  readonly #window: Uint8Array;
  readonly #frames: Int32Array;
  readonly #endOf: (at: number, end: number) => number;
  /** What is in the window, as long as it is not read again from its beginning. */
  #octets: Uint8Array | undefined;

  /** @param marks header names that end a run. So does any that begins with the same octet: frames are looked at one by one then */
  constructor(limits: Readonly<DecoderLimits>, marks: readonly string[]) {
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES, maximum: MEMORY_PAGES });
    const octets = new Uint8Array(memory.buffer);
    octets[BEGINNINGS_AT + (CONTENT_LENGTH[0] as number)] = MAY_BE_CONTENT_LENGTH;
    for (const octet of NO_NAME) octets[BEGINNINGS_AT + octet] = ENDS_RUN;
    for (const mark of marks) octets[BEGINNINGS_AT + (Buffer.from(mark)[0] ?? 0)] = ENDS_RUN;
    const proxy = {
      memory,
      frameMaxBytes: bounded(limits.maxFrameBytes),
      headersMaxBytes: bounded(limits.maxHeaderBytes),
      headersMax: bounded(limits.maxHeaders),
      beginnings: BEGINNINGS_AT,
      frames: FRAMES_AT,
    };
    this.#window = octets.subarray(0, WINDOW_BYTES);
    this.#frames = new Int32Array(memory.buffer, FRAMES_AT, 1);
    this.#endOf = new WebAssembly.Instance(module, { proxy }).exports.endOf;
  }

  /**
   * Where the run ends that begins at `from`, which is `from` itself when there is none.
   * @param octets are not written to while this is asked about them, which begins with octet 0 where they are lent
   * @param end of what is to be looked at
   */
  endOf(octets: Uint8Array, from: number, end: number): number {
    if (end > WINDOW_BYTES) return from;
    if (from === 0 || octets !== this.#octets) {
      Buffer.prototype.copy.call(octets, this.#window, 0, 0, end);
      this.#octets = octets;
    }
    return this.#endOf(from, end);
  }

  /** How many frames the last run has. */
  get frames(): number {
    return this.#frames[0] as number;
  }
}

/** What is larger than the window is no bound. */
function bounded(limit: number): number {
  return Math.min(limit, WINDOW_BYTES);
}
