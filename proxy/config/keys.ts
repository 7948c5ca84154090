/**
 * The keys of the schema as a flat table, and how each is written: `handover.drain-max` in words, `--handover-drain-max`
 * as a flag, HOLDFAST_HANDOVER_DRAIN_MAX as a variable.
 */
import { z } from 'zod';
import { schema } from './schema.ts';
import { NotAllowed, valueKinds } from './values.ts';

/** The shape that a value has in YAML; flags and variables are text that is brought into it. */
export type Shape = 'text' | 'number' | 'boolean' | 'list' | 'map';

export interface Key {
  readonly path: readonly string[];
  /** The path joined by dots. */
  readonly name: string;
  /** Without the leading dashes. */
  readonly flag: string;
  readonly variable: string;
  readonly shape: Shape;
  /** With default, as it stands in the schema. */
  readonly schema: z.ZodType;
  readonly placeholder: string;
  /** What the camelCase name ends in. */
  readonly suffix: string;
  readonly description: string;
  /** As it would stand in YAML; undefined when there is none. */
  readonly fallback: unknown;
  readonly example: unknown;
}

export interface Section {
  readonly path: readonly string[];
  readonly name: string;
  readonly description: string;
  readonly keys: readonly string[];
}

type Wrapper = z.ZodDefault<z.ZodType> | z.ZodPrefault<z.ZodType> | z.ZodOptional<z.ZodType>;

function isWrapper(type: z.ZodType): type is Wrapper {
  return type instanceof z.ZodDefault || type instanceof z.ZodPrefault || type instanceof z.ZodOptional;
}

/** The schema without its default. */
function bare(type: z.ZodType): z.ZodType {
  return isWrapper(type) ? bare(type.def.innerType) : type;
}

function shapeOf(type: z.ZodType): Shape {
  if (type instanceof z.ZodPipe) return shapeOf(type.def.in as z.ZodType);
  if (type instanceof z.ZodArray) return 'list';
  if (type instanceof z.ZodRecord) return 'map';
  if (type instanceof z.ZodNumber || type instanceof z.ZodUnion) return 'number';
  return type instanceof z.ZodBoolean ? 'boolean' : 'text';
}

function toKey(path: readonly string[], type: z.ZodType): Key {
  const kind = valueKinds.get(bare(type));
  const meta = type.meta();
  const fallback =
    type instanceof z.ZodDefault || type instanceof z.ZodPrefault ? (type.def.defaultValue as unknown) : undefined;
  const flag = path.join('-');
  return {
    path,
    name: path.join('.'),
    flag,
    variable: `HOLDFAST_${flag.replaceAll('-', '_').toUpperCase()}`,
    shape: shapeOf(bare(type)),
    schema: type,
    placeholder: kind?.placeholder ?? 'VALUE',
    suffix: kind?.suffix ?? '',
    description: meta?.description ?? '',
    fallback,
    example: (meta?.['examples'] as unknown[] | undefined)?.[0] ?? fallback,
  };
}

function walk(path: readonly string[], type: z.ZodType): (Key | Section)[] {
  const inner = bare(type);
  if (!(inner instanceof z.ZodObject)) return [toKey(path, type)];
  const entries = Object.entries(inner.shape as Record<string, z.ZodType>);
  const description = type.meta()?.description ?? '';
  const here: Section = { path, name: path.join('.'), description, keys: entries.map(([name]) => name) };
  return [here, ...entries.flatMap(([name, child]) => walk([...path, name], child))];
}

const all = walk([], schema);

/** In the order of the schema. */
export const keys: readonly Key[] = all.filter((item): item is Key => 'schema' in item);
/** The first one is the whole file, with an empty path. */
export const sections: readonly Section[] = all.filter((item): item is Section => !('schema' in item));

function toMap(text: string): Record<string, string> {
  const pairs = text.split(',').map((item): [string, string] => {
    const at = item.indexOf('=');
    if (at < 1) throw new NotAllowed('must be NAME=HOST:PORT,…');
    return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
  });
  const twice = pairs.find(([name], index) => pairs.findIndex(([other]) => other === name) < index);
  if (twice !== undefined) throw new NotAllowed(`names ${twice[0]} twice`);
  return Object.fromEntries(pairs);
}

/** Brings the text of a flag or variable into the shape of YAML; what does not fit is left for the schema to refuse. */
export function fromText(shape: Shape, text: string): unknown {
  if (shape === 'list') return text.split(',').map((item) => item.trim());
  if (shape === 'map') return toMap(text);
  if (shape === 'number') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (shape === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** A value of YAML as flags and variables write it. */
export function toText(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, item]) => `${name}=${item}`)
    .join(',');
}
