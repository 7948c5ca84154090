/**
 * The kinds of value that a key can have. Each builds a zod schema whose input is what stands in YAML and whose output
 * is what the program works with: '5s' becomes 5000. A text that a person gets to see says what is allowed, not what
 * the parser tripped over.
 */
import { z } from 'zod';

declare const unit: unique symbol;
/** Milliseconds; becomes a plain `number` under a key that ends in `Ms` in Config. */
export type Milliseconds = number & { readonly [unit]: 'ms' };
/** Bytes; becomes a plain `number` under a key that ends in `Bytes` in Config. */
export type Bytes = number & { readonly [unit]: 'bytes' };

interface ValueKind extends Record<string, unknown> {
  /** How `--help` writes a value: DURATION, HOST:PORT. */
  readonly placeholder: string;
  /** What the key ends in once its value is a plain number. */
  readonly suffix?: 'Ms' | 'Bytes';
}

/** What is known of a kind beside its parsing, keyed by the schema without its default. */
export const valueKinds = z.registry<ValueKind>();

const DURATION_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const SIZE_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

const DURATION = /^(\d{1,9})(ms|s|m|h)$/;
const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/;

export function durationMs(text: string): number | undefined {
  const [, digits, name] = DURATION.exec(text) ?? [];
  return name === undefined ? undefined : Number(digits) * DURATION_MS[name as keyof typeof DURATION_MS];
}

export function sizeBytes(text: string): number | undefined {
  const [, digits, name] = SIZE.exec(text) ?? [];
  return name === undefined ? undefined : Number(digits) * SIZE_BYTES[name as keyof typeof SIZE_BYTES];
}

/** Text with a unit, both bounds included. */
function quantity<T extends number>(
  range: { min: string; max: string },
  kind: ValueKind & { pattern: RegExp; parse: (text: string) => number | undefined; what: string },
) {
  const [min, max] = [kind.parse(range.min) ?? 0, kind.parse(range.max) ?? Number.POSITIVE_INFINITY];
  const allowed = `must be ${kind.what}, from ${range.min} to ${range.max}`;
  const error = ({ input }: { input?: unknown }) =>
    typeof input === 'number' || (typeof input === 'string' && /^\d+$/.test(input))
      ? `has no unit: it ${allowed}`
      : allowed;
  const schema = z
    .string({ error })
    .regex(kind.pattern, { error })
    .transform((text, context): T => {
      const value = kind.parse(text);
      if (value !== undefined && value >= min && value <= max) return value as T;
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    });
  valueKinds.add(schema, kind);
  return schema;
}

export const duration = (min: string, max: string) =>
  quantity<Milliseconds>(
    { min, max },
    {
      placeholder: 'DURATION',
      suffix: 'Ms',
      pattern: DURATION,
      parse: durationMs,
      what: 'a whole number with its unit ms, s, m or h',
    },
  );

export const size = (min: string, max: string) =>
  quantity<Bytes>(
    { min, max },
    {
      placeholder: 'SIZE',
      suffix: 'Bytes',
      pattern: SIZE,
      parse: sizeBytes,
      what: 'a whole number with its unit B, KiB, MiB or GiB (powers of 1024)',
    },
  );

/** A whole number of things, both bounds included. */
export function count(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  const schema = z.int({ error }).min(min, { error }).max(max, { error });
  valueKinds.add(schema, { placeholder: 'N' });
  return schema;
}

/** A whole number of things, or `auto`: as many as there are cores for this process. */
export function countOrAuto(min: number, max: number, auto: () => number) {
  const error = `must be auto or a whole number from ${min} to ${max}`;
  const schema = z
    .union([z.literal('auto'), z.int({ error }).min(min, { error }).max(max, { error })], { error })
    .transform((value) => (value === 'auto' ? Math.min(max, auto()) : value));
  valueKinds.add(schema, { placeholder: 'auto|N' });
  return schema;
}

export function yesNo() {
  const schema = z.boolean({ error: 'must be true or false' });
  valueKinds.add(schema, { placeholder: 'true|false' });
  return schema;
}

export function choice<const T extends readonly [string, ...string[]]>(values: T, placeholder = values.join('|')) {
  const schema = z.enum(values, { error: `must be one of ${values.join(', ')}` });
  valueKinds.add(schema, { placeholder });
  return schema;
}

/** Thrown by the parse function of `text`; its message completes the sentence "KEY: VALUE …". */
export class NotAllowed extends Error {}

/** Text that `parse` turns into T; `parse` throws NotAllowed for what it does not take. */
export function text<T>(placeholder: string, allowed: string, parse: (text: string) => T) {
  const schema = z.string({ error: `must be ${allowed}` }).transform((input, context): T => {
    try {
      return parse(input);
    } catch (error) {
      if (!(error instanceof NotAllowed)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
  valueKinds.add(schema, { placeholder });
  return schema;
}

/** Text of which `pattern` is all that must hold; the pattern is published in the JSON schema. */
export function matching(placeholder: string, allowed: string, pattern: RegExp) {
  const error = `must be ${allowed}`;
  const schema = z.string({ error }).regex(pattern, { error });
  valueKinds.add(schema, { placeholder });
  return schema;
}

/** A YAML list; as a flag or variable its items are separated by commas, and the flag may be repeated. */
export function list<T extends z.ZodType>(item: T, most: number) {
  const error = `must be a list of 1 to ${most} items`;
  const schema = z.array(item, { error }).min(1, { error }).max(most, { error });
  valueKinds.add(schema, { placeholder: `${valueKinds.get(item)?.placeholder ?? 'ITEM'},…` });
  return schema;
}
