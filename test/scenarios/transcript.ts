/**
 * Reads and plays transcripts: what happens to a session stands at the margin, what it does is indented, `#` begins a comment.
 *
 *     client > SUBSCRIBE id:1 destination:/user/queue/a     the client says it
 *     2 opens                                               the WebSocket of link 2 is open
 *     2 > CONNECTED version:1.2                             the pod of link 2 says it
 *     2 ends 1006                                           link 2 is closed with that code; `2 silent 5000` for so many ms
 *     grant b handover                                      routing sends the session to pod b
 *     committed | was apart | shutdown | client gone | client full | client reads
 *     after 50                                              so many ms pass
 *
 * `options` may come first: `options profile:spring drainMaxMs:1000`. The lines of effects are those of test/session/playbook.ts.
 */
import type { LinkCause, ProfileName, SessionEvent, SessionOptions } from '../../proxy/session/index.ts';
import { frame } from '../session/notation.ts';
import { always, Playbook } from '../session/playbook.ts';

export interface Step {
  readonly line: number;
  readonly input: string;
  readonly effects: readonly string[];
}

export interface Transcript {
  readonly options: Partial<SessionOptions>;
  readonly steps: readonly Step[];
}

export function readTranscript(text: string): Transcript {
  const steps: { line: number; input: string; effects: string[] }[] = [];
  let options: Partial<SessionOptions> = {};
  text.split('\n').forEach((raw, index) => {
    const said = raw.replace(/(^|\s)#.*$/, '').trimEnd();
    if (said === '') return;
    if (said.startsWith('options ')) options = optionsOf(said.slice('options '.length));
    else if (!/^\s/.test(said)) steps.push({ line: index + 1, input: said, effects: [] });
    else steps.at(-1)?.effects.push(said.trim());
  });
  return { options, steps };
}

function optionsOf(text: string): Partial<SessionOptions> {
  const entries = text.split(' ').map((pair) => pair.split(':') as [string, string]);
  return Object.fromEntries(entries.map(optionOf));
}

function optionOf([name, value]: [string, string]): [string, unknown] {
  if (name === 'profile') return ['profileOf', always(value as ProfileName)];
  return [name, Number(value)];
}

/** Plays all steps; what each brought out is given to `check`. */
export function play({ options, steps }: Transcript, check: (step: Step, shown: readonly string[]) => void): void {
  let playbook: Playbook | undefined;
  for (const step of steps) {
    if (step.input === 'start') playbook = new Playbook(options);
    else if (playbook === undefined) throw new Error(`line ${step.line}: a transcript begins with "start"`);
    else happen(playbook, step);
    check(step, playbook.shown);
    playbook.forget();
  }
}

const EVENTS: Readonly<Record<string, SessionEvent>> = {
  committed: { type: 'committed' },
  'was apart': { type: 'was-apart' },
  shutdown: { type: 'shutdown' },
  'client gone': { type: 'client-gone', code: 1006 },
  'client full': { type: 'client-full', full: true },
  'client reads': { type: 'client-full', full: false },
};

function happen(playbook: Playbook, { line, input }: Step): void {
  const event = EVENTS[input];
  const [first = '', second = '', third = ''] = input.split(' ');
  const said = input.slice(`${first} > `.length);
  if (event !== undefined) playbook.event(event);
  else if (first === 'after') playbook.after(Number(second));
  else if (first === 'grant') playbook.grant(second, third as LinkCause);
  else if (first === 'client' && second === '>') playbook.client(said);
  else if (second === '>') podSays(playbook, Number(first), said);
  else if (second === 'opens') playbook.opens(Number(first));
  else if (second === 'ends') playbook.ends(Number(first), Number(third));
  else if (second === 'silent') playbook.ends(Number(first), { kind: 'silent', sinceMs: Number(third) });
  else throw new Error(`line ${line}: "${input}" is nothing that can happen`);
}

/** What a pod says on a link that is over comes as a late callback. */
function podSays(playbook: Playbook, link: number, said: string): void {
  if (playbook.shell.links.get(link)?.state !== 'over') playbook.pod(link, said);
  else playbook.event({ type: 'link-frame', link, frame: frame(said, 'server'), binary: false });
}
