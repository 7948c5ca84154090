/** The container of a pod: its image is a program of this repository, run as a process with the pod's arguments and environment. */
import { type Child, nodeProgram } from '../experiment/child.ts';
import { NODE_ADDRESS } from './addresses.ts';
import type { EnvVar, Pod } from './pod.ts';

/** What an image stands for: the file that is run, relative to the root of the repository, and arguments that go before the pod's. */
export interface Image {
  readonly file: string;
  readonly args: readonly string[];
}

export const BACKEND_IMAGE = 'holdfast-backend';

const IMAGES: Readonly<Record<string, Image>> = {
  [BACKEND_IMAGE]: { file: 'backend/main.ts', args: ['--exit-on-stdin-end'] },
};

/** Throws when the pod asks for something that this kubelet does not have. */
export function startContainer(pod: Pod, ip: string): Child {
  const [container, ...others] = pod.spec.containers;
  const image = IMAGES[container?.image ?? ''];
  if (container === undefined || others.length > 0)
    throw new Error(`${pod.metadata.name}: one container a pod, no more`);
  if (image === undefined) {
    const known = Object.keys(IMAGES).join(', ');
    throw new Error(`${pod.metadata.name}: there is no image ${container.image}; there are: ${known}`);
  }
  const env = Object.fromEntries((container.env ?? []).map((each) => [each.name, variable(each, pod, ip)]));
  const args = (container.args ?? []).map((text) => expand(text, env));
  return nodeProgram(pod.metadata.name, image.file, [...image.args, ...args], { env });
}

function variable({ name, value, valueFrom }: EnvVar, pod: Pod, ip: string): string {
  if (valueFrom === undefined) return value ?? '';
  const { metadata, spec } = pod;
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
    'spec.nodeName': spec.nodeName,
    'status.podIP': ip,
    'status.hostIP': NODE_ADDRESS,
  };
  const field = fields[valueFrom.fieldRef?.fieldPath ?? ''];
  if (field === undefined)
    throw new Error(`${metadata.name}: the variable ${name} is not a value or a field that is known`);
  return field;
}

/** `$(NAME)` in arguments stands for a variable of the container, if there is one of that name. */
function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Za-z_][\w.-]*)\)/g, (whole, name: string) => env[name] ?? whole);
}
