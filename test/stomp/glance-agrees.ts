/** A glance beside the decoder, on the same octets. */
import { deepStrictEqual } from 'node:assert';
import { Decoder, type Frame, Glance } from '../../stomp/index.ts';
import type { Rules } from './oracle.ts';

const WATCHED = ['receipt'];
const MARKS = ['holdfast-id', 'a'];
const BESIDES = ['subscription', 'b'];

/**
 * Throws when a glance calls plain what the decoder does not read as one frame, alone but for line ends, without the watched names, or when
 * it reads another value than the decoder.
 * @returns what the glance said
 */
export function glanceAgrees(octets: Uint8Array, { peer, version, strict, limits }: Rules): boolean {
  const command = peer === 'client' ? 'SEND' : 'MESSAGE';
  const glance = new Glance({
    command,
    watched: WATCHED.map((name) => `${name}:`),
    marks: MARKS,
    besides: BESIDES,
    limits,
  });
  if (!glance.isPlain(octets, 0, octets.length)) return false;
  const decoder = new Decoder({ peer, version, strict, limits });
  const [frame, ...more] = decoder.push(octets) as [Frame, ...unknown[]];
  deepStrictEqual([frame.command, decoder.error, decoder.isBetween], [command, undefined, true]);
  deepStrictEqual(more, octets.length === frame.bytes.length ? [] : ['beat']);
  deepStrictEqual(
    WATCHED.map((name) => frame.header(name)),
    [undefined],
  );
  const valuesOf = (names: readonly string[]) => names.map((name) => frame.header(name));
  deepStrictEqual(
    glance.isMarked,
    valuesOf(MARKS).some((value) => value !== undefined),
  );
  const wanted = valuesOf([...MARKS, ...BESIDES]);
  if (glance.isMarked)
    deepStrictEqual(
      [...wanted.keys()].map((index) => glance.valueOf(index)),
      wanted,
    );
  return true;
}
