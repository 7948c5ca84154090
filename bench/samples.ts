/** Everything that was measured, one by one, and what it comes to. */
import { type Faults, isFaultless } from './load/lane.ts';
import type { Machine } from './machine.ts';
import type { Figures, Outcome, Sizes } from './part.ts';
import { type Spread, spreadOf } from './statistics.ts';

export interface Sample extends Outcome {
  readonly part: string;
  /** A proxy, or what else was measured. */
  readonly subject: string;
  readonly round: number;
  /** Of the machine just before (see machine.ts). */
  readonly load: number;
  /** Why there are no figures. */
  readonly failed?: string;
}

export interface Results {
  readonly name: string;
  /** ISO 8601. */
  readonly date: string;
  readonly commit: string | undefined;
  readonly machine: Machine;
  /** Of the machine when the bench began. */
  readonly load: number;
  readonly rounds: number;
  readonly sizes: Sizes;
  readonly samples: readonly Sample[];
}

/** Of one subject in one part. */
export interface Summary {
  readonly figures: Readonly<Record<string, Spread>>;
  /** Samples that the figures are of. */
  readonly counted: number;
  /** Samples left out because the proxy had to wait for its core while it had not in others. */
  readonly leftOut: number;
  /** Why there is something wrong with it; then it has no figures. */
  readonly refused: string | undefined;
  readonly notes: readonly string[];
}

export const WAITED = 'core waited for %';
/** A proxy that waits longer for its core finds more to do at once when it gets it, which makes it look better than it is. */
export const DISTURBED_PERCENT = 25;

/** By part and subject, in the order in which they were done. */
export function summarise(samples: readonly Sample[]): Map<string, Map<string, Summary>> {
  const parts = new Map<string, Map<string, Summary>>();
  for (const part of unique(samples.map((sample) => sample.part))) {
    const ofPart = samples.filter((sample) => sample.part === part);
    const subjects = unique(ofPart.map(({ subject }) => subject));
    const summaryOf = (subject: string) => summaryOfOne(ofPart.filter((sample) => sample.subject === subject));
    parts.set(part, new Map(subjects.map((subject) => [subject, summaryOf(subject)])));
  }
  return parts;
}

function summaryOfOne(samples: readonly Sample[]): Summary {
  const calm = samples.filter(({ figures }) => !isDisturbed(figures));
  const counted = calm.length > 0 ? calm : samples;
  const refused = samples.map(troubleOf).find((trouble) => trouble !== undefined);
  const names = refused === undefined ? unique(counted.flatMap(({ figures }) => Object.keys(figures))) : [];
  const notes = counted.flatMap(({ notes: all = [] }) => all);
  if (calm.length === 0) notes.push(`something else had its core for more than ${DISTURBED_PERCENT} % of the time`);
  return {
    figures: Object.fromEntries(names.map((name) => [name, spreadOf(valuesOf(counted, name))])),
    counted: counted.length,
    leftOut: samples.length - counted.length,
    refused,
    notes: unique(notes),
  };
}

/** A proxy that is fast and wrong is not fast. */
function troubleOf({ failed, faults }: Sample): string | undefined {
  return failed ?? (faults === undefined || isFaultless(faults) ? undefined : wordsFor(faults));
}

function wordsFor({ lost, duplicated, reordered, unknown }: Faults): string {
  return `${lost} lost, ${duplicated} twice, ${reordered} swapped, ${unknown} never sent`;
}

function isDisturbed(figures: Figures): boolean {
  return (figures[WAITED] ?? 0) > DISTURBED_PERCENT;
}

function valuesOf(samples: readonly Sample[], name: string): number[] {
  return samples.flatMap(({ figures }) => figures[name] ?? []);
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
