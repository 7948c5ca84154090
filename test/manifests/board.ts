/** What is read of the Grafana board. */

interface Panel {
  readonly id: number;
  readonly type: 'row' | 'stat' | 'timeseries';
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig: { readonly defaults: { readonly unit: string } };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

export interface Board {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

/** Those that show something. */
export function panelsOf({ panels }: Board): Panel[] {
  return panels.filter(({ type }) => type !== 'row');
}

/** Every query of the board, also the one for vertical lines. */
export function queriesOf(board: Board): string[] {
  const shown = panelsOf(board).flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return [...shown, ...board.annotations.list.map(({ expr }) => expr)];
}

/** The metrics that an expression names, and what stands in braces behind each. */
export function metricsIn(expr: string): { readonly names: string[]; readonly selectors: string[] } {
  const found = [...expr.matchAll(/\b((?:holdfast|nodejs|process)_\w+)(\{[^}]*\})?/g)];
  return { names: found.map(([, name = '']) => name), selectors: found.map(([, , braces = '']) => braces) };
}
