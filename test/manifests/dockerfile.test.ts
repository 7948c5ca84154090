/** What can be said of the Dockerfile without an engine; test/manifests/live runs its steps. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copiesOf, dockerfile, environmentOf, stagesOf } from './dockerfile.ts';
import { root } from './names.ts';

const [build = [], image = []] = dockerfile;
const copied = dockerfile.flatMap((stage) => copiesOf(stage, 'context').flatMap(({ sources }) => sources));

test('there are two stages, of one image of Node with a whole version: the one that the tests run on', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const images = dockerfile.map(([first]) => first?.words[0]);
  expect(images).toEqual([`node:${devDependencies.node}-slim`, `node:${devDependencies.node}-slim`]);
});

test('everything that it copies is there', () => {
  expect(copied.length).toBeGreaterThan(10);
  expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the context is what it copies and nothing else', () => {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  const allowed = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  expect(allowed.sort()).toEqual([...copied].sort());
});

test('all that is built is copied', () => {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')) as { include: string[] };
  expect(include.filter((folder) => !copied.includes(folder))).toEqual([]);
});

test('it runs as nobody, by number, and has the ports of the configuration', () => {
  expect(image.find(({ does }) => does === 'USER')?.words).toEqual(['65532:65532']);
  expect(image.find(({ does }) => does === 'EXPOSE')?.words).toEqual(['8080', '9090']);
  expect(build.some(({ does }) => does === 'USER')).toBe(false);
});

test('the image gets what was built and no tools', () => {
  const fromBuild = copiesOf(image, 'stage').flatMap(({ sources }) => sources);
  expect(fromBuild).toEqual(['/src/package.json', '/src/node_modules', '/src/dist']);
  expect(image.filter(({ does }) => does === 'RUN')).toEqual([]);
});

test('a file is read stage by stage', () => {
  expect(stagesOf('# x\nFROM a AS b\nRUN c d\n\nFROM e\nCOPY --from=b f g\n')).toEqual([
    [
      { does: 'FROM', words: ['a', 'AS', 'b'] },
      { does: 'RUN', words: ['c', 'd'] },
    ],
    [
      { does: 'FROM', words: ['e'] },
      { does: 'COPY', words: ['--from=b', 'f', 'g'] },
    ],
  ]);
});

test('variables are those of all its ENV lines', () => {
  const [stage = []] = stagesOf('FROM a\nENV B=c D=e=f\nRUN G=h\nENV I=\n');
  expect(environmentOf(stage)).toEqual({ B: 'c', D: 'e=f', I: '' });
});
