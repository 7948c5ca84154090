import type { z } from 'zod';
import type { DnsTarget, HostPort, KubernetesService, NamedPod, Network } from './addresses.ts';
import type { schema } from './schema.ts';
import type { Source } from './source.ts';
import type { Bytes, Milliseconds } from './values.ts';

type Camel<Key extends string> = Key extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Key;

type Suffix<Value> = [Value] extends [Milliseconds] ? 'Ms' : [Value] extends [Bytes] ? 'Bytes' : '';

/** Values that are objects, as opposed to sections. */
type Whole = DnsTarget | HostPort | KubernetesService | NamedPod | Network | Source;

type Value<T> = T extends Milliseconds | Bytes
  ? number
  : T extends Whole
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Value<Item>[]
      : T extends object
        ? Named<T>
        : T;

type Named<T extends object> = {
  readonly [Key in keyof T as Key extends string ? `${Camel<Key>}${Suffix<NonNullable<T[Key]>>}` : never]: Value<
    T[Key]
  >;
};

/**
 * The configuration in force, frozen. Keys are those of the schema in camelCase with their unit last: the key
 * `handover.drain-max` is `handover.drainMaxMs`, `hold.session` is `hold.sessionBytes`.
 */
export type Config = Named<z.output<typeof schema>>;
