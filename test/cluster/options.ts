/** The command line of the cluster. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../support/command.ts';
import { NAMES, type ScenarioName, scenarios } from './scenarios.ts';

export interface Options {
  readonly scenarios: readonly ScenarioName[];
  readonly seed: number;
  readonly runs: number;
  readonly clients: number;
  readonly rate: number;
  /** Undefined: what the scenario says. */
  readonly awayMs: number | undefined;
  /** Folder for the proxy's logs, one file a run. */
  readonly logs: string | undefined;
}

const FLAGS = {
  scenario: { type: 'string', multiple: true },
  seed: { type: 'string', default: '1' },
  runs: { type: 'string', default: '1' },
  clients: { type: 'string', default: '500' },
  rate: { type: 'string', default: '1000' },
  away: { type: 'string' },
  logs: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run cluster -- [FLAG…]

A real Kubernetes control plane (etcd, kube-apiserver, its controllers), a node whose pods are processes of the
embedded backend, a real proxy that watches their EndpointSlices, stock stomp.js clients, a producer at the gateway, and
something that happens. Judges by a ledger; prints a table with a row for each run and a last line of JSON. Exits 1 when
something was promised and not kept. The first time it builds the control plane, which takes five minutes on two idle cores (needs Go).

Scenarios, for --scenario:
${NAMES.map((name) => `  ${name.padEnd(20)} ${scenarios[name].help}`).join('\n')}

  --scenario NAME  may be said more than once; default all of them
  --seed N         of the first run; the next ones count on; default 1
  --runs N         of each scenario; default 1
  --clients N      default 500
  --rate N         messages per second to all of them; default 1000
  --away SECONDS   how long the API server, or all pods, are away; default 20, in 'api-away' scenarios 120
  --logs FOLDER    keep the proxy's log of each run there
  --help           show this
`;

/** Undefined asks for help. Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  if (values.help) return undefined;
  return {
    scenarios: values.scenario === undefined ? NAMES : values.scenario.map(scenarioName),
    seed: wholeNumber('seed', values.seed, { least: 0, most: 2 ** 31 }),
    runs: wholeNumber('runs', values.runs, { least: 1, most: 1_000 }),
    clients: wholeNumber('clients', values.clients, { least: 1, most: 9_000 }),
    rate: wholeNumber('rate', values.rate, { least: 1, most: 100_000 }),
    awayMs: values.away === undefined ? undefined : wholeNumber('away', values.away, { least: 1, most: 3_600 }) * 1000,
    logs: values.logs,
  };
}

function scenarioName(text: string): ScenarioName {
  const found = NAMES.find((name) => name === text);
  if (found === undefined) throw new Error(`there is no scenario ${text}; take ${NAMES.join(', ')}`);
  return found;
}
