/**
 * The schemas that Kubernetes and the makers of custom resources publish, from their own Go modules: fetched by `go mod download`,
 * which checks them against the checksum database, and kept in Go's module cache.
 *
 * They are closed on the way: a field that a schema does not know is an error, as with `kubectl --validate=strict`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnySchemaObject } from 'ajv';
import { parse } from 'yaml';
import { type Check, checkOf } from '../json-schema.ts';
import type { KubeObject } from './render.ts';

const KUBERNETES = 'k8s.io/kubernetes@v1.37.2';
const PROMETHEUS_OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.92.1';
const GATEWAY_API = 'sigs.k8s.io/gateway-api@v1.6.3';

/** The definitions of custom resources, as they are installed in a cluster: [module, file in it]. */
const CUSTOM = [
  [PROMETHEUS_OPERATOR, 'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml'],
  [PROMETHEUS_OPERATOR, 'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml'],
  [GATEWAY_API, 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'],
] as const;

interface CustomResource {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: AnySchemaObject };
    }[];
  };
}

type Document = AnySchemaObject & {
  readonly components: { readonly schemas: Readonly<Record<string, AnySchemaObject>> };
};

const folders = new Map<string, string>();

function moduleFolder(module: string): string {
  const known = folders.get(module);
  if (known !== undefined) return known;
  // Outside of this repository, so that no go.mod of ours has a say.
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off' };
  const answer = execFileSync('go', ['mod', 'download', '-json', module], { cwd: tmpdir(), env, encoding: 'utf8' });
  const { Dir } = JSON.parse(answer) as { Dir: string };
  folders.set(module, Dir);
  return Dir;
}

/** The files that define the custom resources which the manifests use. */
export function customResourceFiles(): string[] {
  return CUSTOM.map(([module, file]) => join(moduleFolder(module), file));
}

const checks = new Map<string, Check | undefined>();

/** What breaks the published schema of its kind, one line each; empty when nothing does. */
export function schemaProblems(object: KubeObject): string[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  if (!checks.has(kind)) checks.set(kind, checkFor(object));
  return checks.get(kind)?.(object) ?? [`no schema is published for ${kind}`];
}

function checkFor(object: KubeObject): Check | undefined {
  const custom = customSchema(object);
  if (custom !== undefined) return checkOf(closed(custom));
  const document = builtIn(object.apiVersion);
  const [name] = Object.entries(document.components.schemas).find(([, schema]) => isOf(schema, object)) ?? [];
  if (name === undefined) return undefined;
  return checkOf({ $ref: `kubernetes#/components/schemas/${name}` }, { kubernetes: document });
}

function customSchema({ apiVersion, kind }: KubeObject): AnySchemaObject | undefined {
  for (const file of customResourceFiles()) {
    const { spec } = parse(readFileSync(file, 'utf8')) as CustomResource;
    const version = spec.versions.find(({ name }) => `${spec.group}/${name}` === apiVersion);
    if (version !== undefined && spec.names.kind === kind) return version.schema.openAPIV3Schema;
  }
  return undefined;
}

function builtIn(apiVersion: string): Document {
  const file = apiVersion === 'v1' ? 'api__v1_openapi.json' : `apis__${apiVersion.replace('/', '__')}_openapi.json`;
  const text = readFileSync(join(moduleFolder(KUBERNETES), 'api/openapi-spec/v3', file), 'utf8');
  return closed(JSON.parse(text)) as Document;
}

function isOf(schema: AnySchemaObject, { apiVersion, kind }: KubeObject): boolean {
  const [version, group = ''] = apiVersion.split('/').reverse();
  const kinds: { group: string; version: string; kind: string }[] = schema['x-kubernetes-group-version-kind'] ?? [];
  return kinds.some((one) => one.group === group && one.version === version && one.kind === kind);
}

/** Objects with named properties take no others. */
function closed(schema: unknown): AnySchemaObject {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as AnySchemaObject;
  if (typeof schema !== 'object' || schema === null) return schema as unknown as AnySchemaObject;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  const isOpen = !isSchemaWithProperties(schema) || 'additionalProperties' in parts;
  return isOpen ? parts : { ...parts, additionalProperties: false };
}

/** Also a property may be called "properties", of which the type is no object. */
function isSchemaWithProperties(schema: object): boolean {
  const { type, properties, 'x-kubernetes-preserve-unknown-fields': preserves } = schema as AnySchemaObject;
  return type === 'object' && typeof properties === 'object' && preserves !== true;
}
