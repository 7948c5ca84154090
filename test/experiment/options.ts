/** The command line of the experiment. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../support/command.ts';
import { type BackendName, backendDescriptions, backends, type Mode } from './backends/index.ts';
import { descriptions, type ScenarioName, scenarios } from './scenarios.ts';

export interface Options {
  readonly backend: BackendName;
  readonly scenarios: readonly ScenarioName[];
  readonly modes: readonly Mode[];
  readonly seed: number;
  readonly runs: number;
  readonly clients: number;
  readonly messages: number;
  readonly pods: number;
  readonly durationMs: number;
  readonly ids: boolean;
  readonly proxyFlags: readonly string[];
  /** Folder for the proxy's logs, one file a run. */
  readonly logs: string | undefined;
}

const NAMES = Object.keys(scenarios) as ScenarioName[];

const BACKENDS = Object.keys(backends) as BackendName[];

const FLAGS = {
  backend: { type: 'string', default: 'embedded' },
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '1' },
  clients: { type: 'string', default: '100' },
  messages: { type: 'string', default: '100' },
  pods: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '20' },
  ids: { type: 'boolean', default: false },
  'drain-max': { type: 'string' },
  'log-level': { type: 'string', default: 'info' },
  logs: { type: 'string' },
  way: { type: 'string', default: 'both' },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run experiment -- [SCENARIO…] [FLAG…]

Real pods, a real proxy, stock stomp.js clients, and a producer at the gateway; then the same without the proxy: clients
at pods behind a round-robin, each message at a random pod. Prints a table and a last line of JSON. Exits 1 when
something was promised and not kept.

Scenarios, all of them when none is named:
${NAMES.map((name) => `  ${name.padEnd(10)} ${descriptions[name]}`).join('\n')}

Backends, for --backend NAME; default embedded:
${BACKENDS.map((name) => `  ${name.padEnd(13)} ${backendDescriptions[name]}`).join('\n')}

  --seed N        of the first run; the next ones count on; default 1
  --runs N        of each scenario; default 1
  --clients N     default 100
  --messages N    for each client; default 100
  --pods N        at the start; default 3
  --seconds N     in which all messages are sent; default 20
  --ids           producers of a broker mark their messages with holdfast-id, and try again what a dead node had
  --drain-max D   the proxy's handover.drain-max, as 5s or 500ms; default the proxy's own
  --way WAY       holdfast, direct or both; default both
  --logs FOLDER   keep the proxy's log of each run there
  --log-level L   of that log, info or debug; default info
  --help          show this
`;

/** Undefined asks for help. Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
  if (values.help) return undefined;
  const drain = values['drain-max'] === undefined ? [] : ['--handover-drain-max', values['drain-max']];
  return {
    backend: oneOf(BACKENDS, values.backend, (text) => `there is no backend ${text}`),
    scenarios: positionals.length === 0 ? NAMES : positionals.map(scenarioName),
    modes: modesOf(values.way),
    seed: wholeNumber('seed', values.seed, { least: 0, most: MOST }),
    runs: wholeNumber('runs', values.runs, { least: 1, most: MOST }),
    clients: wholeNumber('clients', values.clients, { least: 1, most: MOST }),
    messages: wholeNumber('messages', values.messages, { least: 1, most: MOST }),
    pods: wholeNumber('pods', values.pods, { least: 1, most: MOST }),
    durationMs: wholeNumber('seconds', values.seconds, { least: 1, most: MOST }) * 1000,
    ids: values.ids,
    proxyFlags: ['--log-level', logLevel(values['log-level']), ...drain],
    logs: values.logs,
  };
}

function scenarioName(text: string): ScenarioName {
  return oneOf(NAMES, text, () => `there is no scenario ${text}`);
}

function oneOf<T extends string>(known: readonly T[], text: string, trouble: (text: string) => string): T {
  const found = known.find((name) => name === text);
  if (found === undefined) throw new Error(`${trouble(text)}; take ${known.join(', ')}`);
  return found;
}

function modesOf(way: string): Mode[] {
  if (way === 'both') return ['holdfast', 'direct'];
  if (way === 'holdfast' || way === 'direct') return [way];
  throw new Error(`--way ${way} is unknown; write holdfast, direct or both`);
}

/** A level that leaves out less than info would hide the addresses of the proxy, too. */
function logLevel(text: string): string {
  if (text === 'info' || text === 'debug') return text;
  throw new Error(`--log-level ${text} is unknown; write info or debug`);
}

/** Enough for any machine that this runs on. */
const MOST = 1_000_000;
