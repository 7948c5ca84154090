import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DiscoveryError, parsePodsFile } from '../../proxy/discovery/index.ts';

const TWO = [
  { id: 'a', name: 'a', address: '10.0.0.7:8080', state: 'serving' },
  { id: 'b', name: 'b', address: '10.0.0.8:8080', state: 'draining' },
];

it.each([
  ['YAML', '# two pods\n- name: a\n  address: 10.0.0.7:8080\n- {name: b, address: "10.0.0.8:8080", state: draining}\n'],
  [
    'JSON',
    '[{"name":"a","address":"10.0.0.7:8080","state":"serving"},\n\t{"name":"b","address":"10.0.0.8:8080","state":"draining"}]',
  ],
  [
    'a byte order mark and CRLF',
    '\uFEFF- name: a\r\n  address: 10.0.0.7:8080\r\n- name: b\r\n  address: 10.0.0.8:8080\r\n  state: draining\r\n',
  ],
  ['an alias', '- &a {name: a, address: 10.0.0.7:8080}\n- {name: b, address: 10.0.0.8:8080, state: draining}\n'],
])('reads %s', (_what, text) => {
  expect(parsePodsFile(text)).toEqual(TWO);
});

it('takes [] for the statement that there are no pods', () => {
  expect(parsePodsFile('[]')).toEqual([]);
});

it.each([
  ['', 'the file is empty; write [] when there really are no pods'],
  ['# nothing\n', 'the file is empty'],
  ['null\n', 'the file must be a list'],
  ['pods: []\n', 'the file must be a list; begin each pod with "- name: …"'],
  ['text', 'the file must be a list'],
  ['- a\n', 'line 1 (entry 1): not a pod; write {name: …, address: HOST:PORT}'],
  ['- name: a\n  address: h:1\n- [b]\n', 'line 3 (entry 2): not a pod'],
  ['- {name: a, adress: h:1}\n', 'line 1 (entry 1): unknown key "adress"; a pod has the keys name, address, state'],
  ['- {__proto__: a}\n', 'line 1 (entry 1): unknown key "__proto__"'],
  ['- name: a\n', 'line 1 (entry 1): "address" is missing; write address: …'],
  ['\n\n- address: h:1\n', 'line 3 (entry 1): "name" is missing'],
  ['- {name: 7, address: h:1}', 'line 1 (entry 1): "name" is not a text; put it in quotes'],
  ['- {name: a, address: 1}', '"address" is not a text'],
  ['- {name: a, address: h:0}', 'line 1 (entry 1): "h:0" is not an address'],
  ['- {name: a b, address: h:1}', '"a b" is not a pod name'],
  ['- {name: a, address: h:1, state: unready}', 'state "unready" is unknown; write serving or draining'],
  ['- {name: a, address: h:1, state: }', 'state null is unknown'],
  [
    '- {name: a, address: h:1}\n- {name: a, address: h:2}',
    'line 2 (entry 2): the name "a" was already given in line 1 (entry 1)',
  ],
  [
    '- {name: a, address: h:1}\n\n- {name: b, address: h:1}',
    'line 3 (entry 2): the address h:1 was already given in line 1 (entry 1)',
  ],
  ['- {name: a, name: b}\n', 'not YAML or JSON: Map keys must be unique at line 1, column 13'],
  ['- {name: a', 'not YAML or JSON'],
  ['[{"name":"a","address":"h:1"},{"na', 'not YAML or JSON'],
  ['- *nobody\n', 'not YAML or JSON: Unresolved alias'],
  ['- !!js/function x\n', 'not YAML or JSON: Unresolved tag'],
  ['- {name: a, address: h:1}\n---\n- {name: b, address: h:2}\n', 'multiple documents'],
  ['\0\x01garbage: [', 'not YAML or JSON'],
])('refuses %j: %s', (text, message) => {
  expect(() => parsePodsFile(text)).toThrow(DiscoveryError);
  expect(() => parsePodsFile(text)).toThrow(message);
});

it('never throws anything but its own error, whatever the text', () => {
  const pieces = fc.constantFrom(
    '- ',
    'name: a',
    '{',
    '}',
    '[',
    ']',
    ', ',
    ': ',
    '\n',
    '  ',
    '&x ',
    '*x',
    '"',
    "'",
    '|',
    'h:1',
    '<<',
    '!!',
    '#',
    '\t',
    '%',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parsePodsFile(text);
      } catch (error) {
        expect(error).toBeInstanceOf(DiscoveryError);
      }
    }),
    { numRuns: 3000 },
  );
});

it('refuses aliases that expand without end', () => {
  const bomb = `- &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
    .split('')
    .map((c, i) => `- &${c} [${`*${'abcdefghij'[i]},`.repeat(9)}]`)
    .join('\n')}\n`;
  expect(() => parsePodsFile(bomb)).toThrow(DiscoveryError);
});
