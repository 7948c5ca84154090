/** The alerts of the PrometheusRule, as Prometheus reads them from a file. */
import { find, render } from './render.ts';

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

export interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export function publishedRules(): Rules {
  return find(render('overlays/spring'), 'PrometheusRule', 'holdfast')['spec'] as Rules;
}

export function alertsOf({ groups }: Rules): Rule[] {
  return groups.flatMap(({ rules }) => rules);
}

/**
 * The same alerts for a test that cannot wait for minutes: every `for:` and every span in brackets is so many times shorter. Nothing
 * else changes, thresholds least of all.
 */
export function hurried({ groups }: Rules, times: number): Rules {
  return { groups: groups.map((group) => ({ ...group, rules: group.rules.map((rule) => hurriedRule(rule, times)) })) };
}

function hurriedRule(rule: Rule, times: number): Rule {
  const shorter = (span: string) => `${Math.round(msOf(span) / times)}ms`;
  const expr = rule.expr.replaceAll(/\[(\w+)\]/g, (_, span: string) => `[${shorter(span)}]`);
  return { ...rule, expr, ...(rule.for === undefined ? {} : { for: shorter(rule.for) }) };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

function msOf(span: string): number {
  const [, count, unit = ''] = /^(\d+)([smh])$/.exec(span) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
  if (Number.isNaN(ms)) throw new Error(`${span} is no span that is understood here`);
  return ms;
}
