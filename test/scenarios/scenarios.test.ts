/**
 * The rules of handover, order, drain and recovery as transcripts that can be read (the `.txt` files beside this one), and one for
 * every bug that was found. `SCENARIOS=write npx vitest run test/scenarios` writes anew what sessions do; read the diff.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { expect, test } from 'vitest';
import { play, readTranscript } from './transcript.ts';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

test.each(files)('%s', (file) => {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const transcript = readTranscript(text);
  if (env['SCENARIOS'] === 'write') return writeFileSync(path, rewritten(text));
  play(transcript, ({ line, input, effects }, shown) => {
    expect(shown, `${file}, line ${line}: ${input}`).toEqual(effects);
  });
});

/** The same transcript with the effects of today; comments stay where they are unless they stand among effects. */
function rewritten(text: string): string {
  const shownAt = new Map<number, readonly string[]>();
  play(readTranscript(text), ({ line }, shown) => shownAt.set(line, [...shown]));
  const lines = text.split('\n').flatMap((line, index) => {
    if (/^\s+\S/.test(line)) return [];
    return [line, ...(shownAt.get(index + 1) ?? []).map((effect) => `    ${effect}`)];
  });
  return lines.join('\n');
}
