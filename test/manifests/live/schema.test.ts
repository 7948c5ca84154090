/** Every object that is rendered, against the schema that Kubernetes or the maker of its custom resource publishes. */
import { describe, expect, test } from 'vitest';
import { RENDERED } from '../names.ts';
import { schemaProblems } from './published-schemas.ts';
import { find, type KubeObject, render } from './render.ts';

describe.each(RENDERED)('%s', (path) => {
  test.each(render(path).map((object) => [`${object.kind} ${object.metadata.name}`, object] as const))(
    '%s',
    (_, object) => {
      expect(schemaProblems(object)).toEqual([]);
    },
  );
});

describe('the schemas see', () => {
  const objects = [...render('overlays/gateway-api')];
  const change = (kind: string, name: string, edit: (copy: never) => void): KubeObject => {
    const copy = structuredClone(find(objects, kind, name));
    edit(copy as never);
    return copy;
  };

  test.each([
    [
      'a field that there is not',
      change('Deployment', 'holdfast', (copy: { spec: Record<string, unknown> }) => {
        copy.spec['minReadySecond'] = 1;
      }),
      '/spec must NOT have additional properties: minReadySecond',
    ],
    [
      'a field that is missing',
      change('PodMonitor', 'holdfast', (copy: { spec: Record<string, unknown> }) => {
        delete copy.spec['selector'];
      }),
      "/spec must have required property 'selector'",
    ],
    [
      'a value of another type',
      change('HTTPRoute', 'holdfast', (copy: { spec: { rules: { backendRefs: { port: unknown }[] }[] } }) => {
        for (const { backendRefs } of copy.spec.rules) for (const ref of backendRefs) ref.port = 'ws';
      }),
      '/spec/rules/0/backendRefs/0/port must be integer',
    ],
    [
      'a kind that there is not',
      { ...find(objects, 'Service', 'holdfast'), kind: 'Servise' },
      'no schema is published for v1 Servise',
    ],
  ])('%s', (_, object, problem) => {
    expect(schemaProblems(object)).toContain(problem);
  });
});
