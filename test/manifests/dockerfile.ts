/** The Dockerfile as a list of what it does, as far as tests have to know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './names.ts';

export interface Step {
  readonly does: 'FROM' | 'WORKDIR' | 'COPY' | 'RUN' | 'ENV' | 'USER' | 'EXPOSE' | 'ENTRYPOINT' | 'CMD';
  readonly words: readonly string[];
}

/** Its stages, each from its FROM on. */
export function stagesOf(text: string): Step[][] {
  const stages: Step[][] = [];
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const [does = '', ...words] = line.split(' ');
    const step = { does: does as Step['does'], words };
    if (does === 'FROM') stages.push([step]);
    else stages.at(-1)?.push(step);
  }
  return stages;
}

export const dockerfile = stagesOf(readFileSync(join(root, 'Dockerfile'), 'utf8'));

/** [sources, target] of each COPY from the folder that is built, or from another stage. */
export function copiesOf(stage: readonly Step[], from: 'context' | 'stage'): { sources: string[]; target: string }[] {
  const copies = stage.filter(({ does }) => does === 'COPY').map(({ words }) => [...words]);
  const wanted = copies.filter(([first = '']) => first.startsWith('--from=') === (from === 'stage'));
  return wanted.map((words) => {
    const paths = words.filter((word) => !word.startsWith('--'));
    return { sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
  });
}

/** The variables that a stage sets, all of them as NAME=VALUE. */
export function environmentOf(stage: readonly Step[]): Record<string, string> {
  const settings = stage.filter(({ does }) => does === 'ENV').flatMap(({ words }) => words);
  return Object.fromEntries(
    settings.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
}

/** The words of an ENTRYPOINT or CMD, which are a JSON list. */
export function commandOf(stage: readonly Step[], does: 'ENTRYPOINT' | 'CMD'): string[] {
  const { words = [] } = stage.find((step) => step.does === does) ?? {};
  return JSON.parse(words.join(' ')) as string[];
}
