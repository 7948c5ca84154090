/**
 * Random walks of the real sessions and the real routing through drains, joins, crashes, refusals, broken links and late
 * callbacks, in virtual time. A failure names its seed; `WALK=<seed> npx vitest run test/session/interleavings` shows its trace.
 */
import { env } from 'node:process';
import { describe, test } from 'vitest';
import { walk } from './walk/walk.ts';

const WALKS = Number(env['WALKS'] ?? 400);

describe.each([
  ['planned changes: nothing is lost, doubled or swapped, and every move is proven', false],
  ['crashes: nothing is doubled or swapped, and every gap is announced', true],
])('%s', (_, crashes) => {
  test(`${WALKS} walks`, () => {
    if (env['WALK'] !== undefined) return walk(Number(env['WALK']), crashes, (text) => console.info(text));
    for (let seed = 1; seed <= WALKS; seed++) {
      try {
        walk(seed, crashes);
      } catch (error) {
        throw new Error(`walk ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
    }
  });
});
