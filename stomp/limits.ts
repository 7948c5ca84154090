/** Bounds of one frame; each is the largest number that still passes. */
export interface DecoderLimits {
  /** Octets of a whole frame, its NUL included. */
  maxFrameBytes: number;
  /** Octets of all header lines of a frame with their line ends, without command line and blank line. */
  maxHeaderBytes: number;
  /** Header lines of a frame. */
  maxHeaders: number;
}

const HEADER_ROOM = 8 * 1024;

/**
 * 64 KiB is what Spring accepts for a frame and RabbitMQ for a body before login, so nothing larger could be passed on; the
 * headers get room of their own. 8 KiB is the usual bound for the headers of an HTTP request, and a bearer token fits.
 * Real clients send fewer than ten headers; Spring copies all headers of a SEND to the MESSAGE and adds some.
 */
export const DEFAULT_LIMITS: Readonly<DecoderLimits> = {
  maxFrameBytes: 64 * 1024 + HEADER_ROOM,
  maxHeaderBytes: HEADER_ROOM,
  maxHeaders: 64,
};

/** Limits that were found right: a decoder that is given them goes by the same object, and a session has no copy of its own. */
const right = new WeakSet<Partial<DecoderLimits>>();

/**
 * @returns all limits, frozen; those that came from here before as they are
 * @throws RangeError for a limit that is not a positive integer or Infinity: NaN would silently mean no limit
 */
export function checkedLimits(limits: Partial<DecoderLimits> = {}): Readonly<DecoderLimits> {
  if (right.has(limits)) return limits as DecoderLimits;
  const all = Object.freeze({ ...DEFAULT_LIMITS, ...limits });
  for (const [name, limit] of Object.entries(all)) {
    if (limit === Infinity || (Number.isInteger(limit) && limit >= 1)) continue;
    throw new RangeError(`${name} must be a positive integer or Infinity, not ${limit}`);
  }
  right.add(all);
  return all;
}
