/** The Grafana board and the alerts, as far as they can be judged without Prometheus; test/manifests/live asks one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics, EVENT_LOOP_LOOK_MS } from '../../proxy/metrics.ts';
import { boardText } from '../../tools/board/board.ts';
import { type Board, metricsIn, panelsOf, queriesOf } from './board.ts';
import { folder } from './names.ts';

const text = readFileSync(join(folder, 'components/monitoring/holdfast.json'), 'utf8');
const board = JSON.parse(text) as Board;
const panels = panelsOf(board);

test('the board is current; tools/board/main.ts writes it', () => {
  expect(text).toBe(boardText());
});

test('how late an event loop is is told without the time between two looks, by board and alert', () => {
  const rules = readFileSync(join(folder, 'components/monitoring/rules.yaml'), 'utf8');
  const exprs = [...text.split('\n'), ...rules.split('\n')].filter((line) => /expr.*eventloop_lag/.test(line));
  expect(exprs).toHaveLength(2);
  for (const expr of exprs) expect(expr).toContain(` - ${EVENT_LOOP_LOOK_MS / 1000}`);
});

test('it asks the questions that it is for', () => {
  const rows = board.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  expect(rows.slice(0, 4)).toEqual([
    'Are clients closed?',
    'Is anything lost?',
    'Where are the sessions?',
    'How does this rollout go?',
  ]);
});

test('panels lie on the grid and not on each other, and have ids of their own', () => {
  const cells = new Map<string, string>();
  for (const { title, gridPos } of board.panels) {
    const { x, y, w, h } = gridPos;
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        expect(cells.get(`${column},${line}`), `${title} lies on another panel`).toBeUndefined();
        cells.set(`${column},${line}`, title);
      }
    }
  }
  expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
});

describe.each(panels.map((panel) => [panel.title, panel] as const))('%s', (_, panel) => {
  test('says what it shows, in which unit, and names each series', () => {
    expect(panel.description).toMatch(/^[A-Z].{20,}\.$/);
    expect(['short', 'ops', 's', 'bytes', 'percentunit']).toContain(panel.fieldConfig.defaults.unit);
    for (const { legendFormat } of panel.targets) expect(legendFormat).not.toBe('');
    expect(new Set(panel.targets.map(({ refId }) => refId)).size).toBe(panel.targets.length);
  });

  test('each series of a query that groups is told apart by its legend', () => {
    for (const { expr, legendFormat } of panel.targets) {
      const [, label] = /^(?:sum|max) by \((\w+)\)/.exec(expr) ?? [];
      if (label !== undefined) expect(legendFormat).toBe(`{{${label}}}`);
    }
  });

  test('asks for the chosen namespaces only', () => {
    for (const { expr } of panel.targets) expect(metricsIn(expr).selectors).toSatisfy(everyOneNamesTheNamespace);
  });
});

function everyOneNamesTheNamespace(selectors: readonly string[]): boolean {
  return selectors.length > 0 && selectors.every((selector) => selector.includes('namespace=~"$namespace"'));
}

test('every metric that the board or an alert names is one that a proxy shows', async () => {
  const { spec } = parse(readFileSync(join(folder, 'components/monitoring/rules.yaml'), 'utf8')) as {
    spec: { groups: { rules: { expr: string }[] }[] };
  };
  const alerts = spec.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
  const named = new Set([...queriesOf(board), ...alerts].flatMap((expr) => metricsIn(expr).names));
  const shown = (await createMetrics().scrape()).text;
  const unknown = [...named].filter((name) => !shown.includes(`# TYPE ${name.replace(/_bucket$/, '')} `));
  expect(unknown).toEqual([]);
  expect(named.size).toBeGreaterThan(25);
});
