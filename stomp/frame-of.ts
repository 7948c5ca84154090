import type { Peer } from './commands.ts';
import { Decoder } from './decoder.ts';
import { StompError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { Version } from './versions.ts';

/**
 * The one frame in `bytes`, which may be followed by line ends. For frames made by the program itself and for tests: no limits.
 *
 * @throws StompError when the bytes are garbage, end too early or hold more than one frame.
 */
export function frameOf(bytes: Uint8Array, peer: Peer, version: Version = '1.2'): Frame {
  const limits = { maxFrameBytes: Infinity, maxHeaderBytes: Infinity, maxHeaders: Infinity };
  const decoder = new Decoder({ peer, version, limits });
  const [frame, ...more] = decoder.push(bytes).filter((found) => found !== 'beat');
  if (decoder.error !== undefined) throw decoder.error;
  if (frame === undefined || decoder.bufferedBytes > 0)
    throw new StompError('missing-nul', 'the bytes end inside a frame');
  if (more.length > 0) throw new StompError('unexpected-body', 'the bytes hold more than one frame');
  return frame;
}
