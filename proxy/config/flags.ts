import { type Key, keys } from './keys.ts';
import { type ConfigProblem, type Layer, type Setting, settingOf, unknownKey } from './problems.ts';

const byFlag = new Map(keys.map((key) => [`--${key.flag}`, key]));
const CONFIG_FLAG = '--config';
const written = new Map([...keys.map((key) => [key.name, `--${key.flag}`] as const), ['config', CONFIG_FLAG]]);

/** What stood behind a flag, each time it was given. */
type Texts = Map<string, string[]>;

/** The flags, and FILE of `--config FILE`. All that is wrong is told, not only the first. */
export function readFlags(argv: readonly string[]): Layer & { readonly configFile: string | undefined } {
  const problems: ConfigProblem[] = [];
  const texts = collect(argv, problems);
  const settings: Setting[] = [];
  for (const [flag, given] of texts) {
    const key = byFlag.get(flag);
    const repeatable = key?.shape === 'list' || key?.shape === 'map';
    if (!repeatable && given.length > 1)
      problems.push({ key: flag, where: flag, message: `is given ${given.length} times; once is enough` });
    else if (key !== undefined) settings.push(settingOf(key, 'flag', flag, given.join(',')));
  }
  return { settings, problems, configFile: texts.get(CONFIG_FLAG)?.[0] };
}

function collect(argv: readonly string[], problems: ConfigProblem[]): Texts {
  const texts: Texts = new Map();
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [flag = '', inline] = word.split(/=(.*)/s, 2);
    const problem = misplaced(word, flag);
    if (problem !== undefined) problems.push(problem);
    // A value behind an unknown flag belongs to it: it would only be a second message about one mistake.
    const text = inline ?? takeValue(byFlag.get(flag), rest, word.startsWith('-'));
    if (problem !== undefined) continue;
    if (text === undefined) problems.push({ key: flag, where: flag, message: `needs a value${exampleOf(flag)}` });
    else texts.set(flag, [...(texts.get(flag) ?? []), text]);
  }
  return texts;
}

function misplaced(word: string, flag: string): ConfigProblem | undefined {
  if (!word.startsWith('-')) {
    return {
      key: word,
      where: word,
      message: 'is no flag; values belong behind a flag, as in --listen 127.0.0.1:8080',
    };
  }
  return byFlag.has(flag) || flag === CONFIG_FLAG ? undefined : unknownKey(flag, flag, written);
}

/** Takes the word behind a flag off `rest`; a yes-or-no flag alone means yes. */
function takeValue(key: Key | undefined, rest: string[], isFlag: boolean): string | undefined {
  const next = rest[0];
  const usable = isFlag && next !== undefined && !next.startsWith('--');
  if (key?.shape === 'boolean') return usable && /^(true|false)$/.test(next) ? rest.shift() : 'true';
  return usable ? rest.shift() : undefined;
}

function exampleOf(flag: string): string {
  const key = byFlag.get(flag);
  return key === undefined ? ' (the file to read)' : `: --${key.flag} ${key.placeholder}`;
}
