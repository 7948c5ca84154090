import { keys } from './keys.ts';
import { type ConfigProblem, type Layer, type Setting, settingOf, unknownKey } from './problems.ts';

export const CONFIG_VARIABLE = 'HOLDFAST_CONFIG';

const byVariable = new Map(keys.map((key) => [key.variable, key]));
const written = new Map([...keys.map((key) => [key.name, key.variable] as const), ['config', CONFIG_VARIABLE]]);

/**
 * Kubernetes gives each pod variables for each Service of its namespace, in the way of Docker links: a Service called
 * holdfast makes HOLDFAST_SERVICE_HOST, HOLDFAST_PORT=tcp://… and HOLDFAST_PORT_8080_TCP_ADDR, which nobody has set.
 */
export function isServiceVariable(name: string, value: string): boolean {
  if (/^HOLDFAST_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)$/.test(name)) return true;
  if (/^HOLDFAST_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return /^HOLDFAST_(\w+_)?PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value);
}

/** The HOLDFAST_* variables. An empty one counts as not set, as in compose files that pass on what may be missing. */
export function readVariables(env: Readonly<Record<string, string | undefined>>): Layer {
  const settings: Setting[] = [];
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('HOLDFAST_') || name === CONFIG_VARIABLE || text === undefined || text === '') continue;
    const key = byVariable.get(name);
    if (key !== undefined) settings.push(settingOf(key, 'variable', name, text));
    else if (!isServiceVariable(name, text)) problems.push(unknownKey(name, name, written));
  }
  return { settings, problems };
}
