/** Renders a folder of the manifests, by whatever is there: kustomize, or kubectl, which has it built in. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { folder } from '../names.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  // What follows differs from kind to kind; tests look at the parts that they are about.
  readonly [part: string]: unknown;
}

const COMMANDS = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
] as const;

function renderer(): readonly [string, string] {
  const found = COMMANDS.find(([command]) => spawnSync(command, ['--help']).error === undefined);
  if (found !== undefined) return found;
  throw new Error('neither kustomize nor kubectl is installed; .ci/run has one way to get kustomize');
}

/** @param path below manifests/, or absolute */
export function renderText(path: string): string {
  const [command, verb] = renderer();
  const target = path.startsWith('/') ? path : join(folder, path);
  return execFileSync(command, [verb, target], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function render(path: string): KubeObject[] {
  return parseAllDocuments(renderText(path)).map((document) => document.toJS({ maxAliasCount: -1 }) as KubeObject);
}

/** The one object of this kind and name. */
export function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} objects are ${kind} ${name}`);
  return found[0];
}
