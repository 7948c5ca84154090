/** Results as text. */
import { REFERENCE } from '../proxies/index.ts';
import type { Summary } from '../samples.ts';
import type { Spread } from '../statistics.ts';
import { COSTS, DELAYS, type Row } from './rows.ts';

type Summaries = ReadonlyMap<string, ReadonlyMap<string, Summary>>;

const NOTHING = '–';

/** All tables that the results have something for. */
export function tablesOf(summaries: Summaries): string {
  const subjects = [...new Set(rowsWith(summaries).flatMap(({ part }) => [...(summaries.get(part)?.keys() ?? [])]))];
  const comparison = rowsWith(summaries).map(({ title, ...row }) => [
    title,
    ...subjects.map((subject) => cell(summaries.get(row.part)?.get(subject), row.figure)),
  ]);
  const ratios = rowsWith(summaries).flatMap((row) => ratioRow(summaries, row, subjects));
  const compared = new Set(rowsWith(summaries).map(({ part }) => part));
  const solos = [...summaries].filter(([part]) => !compared.has(part)).map(([part, ofPart]) => soloTable(part, ofPart));
  const tables = [
    ...(comparison.length > 0 ? [table([['median (min – max)', ...subjects], ...comparison])] : []),
    ...(ratios.length > 0 ? [table([[`times ${REFERENCE}`, ...subjects], ...ratios])] : []),
    ...solos,
  ];
  return [...tables, ...notesOf(summaries)].join('\n\n');
}

function rowsWith(summaries: Summaries): Row[] {
  return [...COSTS, ...DELAYS].filter(({ part }) => summaries.has(part));
}

function cell(summary: Summary | undefined, figure: string): string {
  if (summary?.refused !== undefined) return 'REFUSED';
  const spread = summary?.figures[figure];
  return spread === undefined ? NOTHING : spreadText(spread);
}

function ratioRow(summaries: Summaries, { part, figure, title }: Row, subjects: readonly string[]): string[][] {
  const medianOf = (subject: string) => summaries.get(part)?.get(subject)?.figures[figure]?.median;
  const reference = medianOf(REFERENCE);
  if (reference === undefined) return [];
  const ratios = subjects.map((subject) => {
    const median = medianOf(subject);
    return median === undefined ? NOTHING : (median / reference).toFixed(2);
  });
  return [[title, ...ratios]];
}

/** A row for each figure of each subject. */
function soloTable(part: string, subjects: ReadonlyMap<string, Summary>): string {
  const rows = [...subjects].flatMap(([subject, { figures, refused }]) =>
    refused === undefined
      ? Object.entries(figures).map(([name, spread]) => [subject, name, spreadText(spread)])
      : [[subject, 'REFUSED', refused]],
  );
  return table([[part, 'figure', 'median (min – max)'], ...rows]);
}

function notesOf(summaries: Summaries): string[] {
  const lines = [...summaries].flatMap(([part, subjects]) =>
    [...subjects].flatMap(([subject, { notes, refused, leftOut, counted }]) => [
      ...(refused === undefined ? [] : [`${part}, ${subject}: REFUSED, ${refused}`]),
      ...notes.map((note) => `${part}, ${subject}: ${note}`),
      ...(leftOut === 0
        ? []
        : [`${part}, ${subject}: ${leftOut} of ${counted + leftOut} samples left out as disturbed`]),
    ]),
  );
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function spreadText({ median, min, max }: Spread): string {
  return min === max ? number(median) : `${number(median)} (${number(min)} – ${number(max)})`;
}

/** Three digits that count. */
export function number(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The first row is the head. Words to the left, figures to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))),
  );
  lines.splice(
    1,
    0,
    widths.map((width) => '─'.repeat(width)),
  );
  return lines.map((line) => line.join('  ').trimEnd()).join('\n');
}
