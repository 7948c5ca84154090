/** The Grafana board as JSON: panels from left to right, each question below the last one. */
import { type Graph, type Panel, type Query, questions, type Stat } from './panels.ts';

const COLUMNS = 24;
const HEIGHT: Readonly<Record<Panel['kind'], number>> = { stat: 4, graph: 8 };
const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const NAMESPACE = 'namespace=~"$namespace"';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** As it is published. */
export function boardText(): string {
  return `${JSON.stringify(board(), null, 2)}\n`;
}

function board(): unknown {
  return {
    uid: 'holdfast',
    title: 'Holdfast',
    description: 'Are clients closed, is anything lost, where are the sessions, how does this rollout go.',
    tags: ['holdfast'],
    schemaVersion: 39,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    graphTooltip: 1,
    templating: { list: [datasourceVariable(), namespaceVariable()] },
    annotations: { list: [rolloutMarks()] },
    panels: panels(),
  };
}

function datasourceVariable(): unknown {
  return { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

function namespaceVariable(): unknown {
  return {
    ...{ name: 'namespace', label: 'Namespace', type: 'query', datasource: DATASOURCE },
    ...{ query: 'label_values(holdfast_clients, namespace)', refresh: 2, sort: 1 },
    ...{ multi: true, includeAll: true, allValue: '.*', current: { text: ['All'], value: ['$__all'] } },
  };
}

/** A vertical line wherever the set of pods has changed. */
function rolloutMarks(): unknown {
  return {
    ...{ name: 'Pods changed', enable: true, iconColor: 'blue', datasource: DATASOURCE },
    expr: withNamespace('max(changes(holdfast_topology_changes_total{$ns}[30s])) > 0'),
    step: '30s',
    titleFormat: 'Pods changed',
  };
}

function panels(): unknown[] {
  const placed: unknown[] = [];
  let y = 0;
  for (const { question, panels: asked } of questions) {
    placed.push({
      ...{ id: placed.length + 1, type: 'row', title: question, collapsed: false, panels: [] },
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    for (const line of linesOf(asked)) {
      const height = Math.max(...line.map(({ kind }) => HEIGHT[kind]));
      let x = 0;
      for (const panel of line) {
        placed.push(panelAt(panel, placed.length + 1, { x, y, w: panel.width, h: height }));
        x += panel.width;
      }
      y += height;
    }
  }
  return placed;
}

/** As many in a line as there is room for. */
function linesOf(all: readonly Panel[]): Panel[][] {
  const lines: Panel[][] = [[]];
  for (const panel of all) {
    const line = lines.at(-1) ?? [];
    const used = line.reduce((sum, { width }) => sum + width, 0);
    if (used + panel.width > COLUMNS) lines.push([panel]);
    else line.push(panel);
  }
  return lines;
}

function panelAt(panel: Panel, id: number, gridPos: Place): unknown {
  const { title, description } = panel;
  const own = panel.kind === 'stat' ? statParts(panel) : graphParts(panel);
  return { id, title, description, datasource: DATASOURCE, gridPos, ...own };
}

function statParts({ query, unit, badFrom, oddFrom }: Stat): object {
  const steps = [
    { color: 'green', value: null },
    ...(oddFrom === undefined ? [] : [{ color: 'orange', value: oddFrom }]),
    ...(badFrom === undefined ? [] : [{ color: 'red', value: badFrom }]),
  ];
  return {
    type: 'stat',
    targets: [{ ...target(query, 0), instant: true, range: false }],
    fieldConfig: {
      defaults: { unit, decimals: unit === 'short' ? undefined : 0, thresholds: { mode: 'absolute', steps } },
      overrides: [],
    },
    options: { colorMode: 'background', graphMode: 'none', reduceOptions: { calcs: ['lastNotNull'] } },
  };
}

function graphParts({ queries, unit, stacked = false }: Graph): object {
  const custom = { fillOpacity: stacked ? 40 : 5, lineWidth: 1, stacking: { mode: stacked ? 'normal' : 'none' } };
  return {
    type: 'timeseries',
    targets: queries.map(target),
    fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function target({ expr, legend }: Query, index: number): object {
  return { refId: String.fromCharCode('A'.charCodeAt(0) + index), expr: withNamespace(expr), legendFormat: legend };
}

function withNamespace(expr: string): string {
  return expr.replaceAll('$ns', NAMESPACE);
}
