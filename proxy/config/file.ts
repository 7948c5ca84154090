import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { keys, type Section, sections } from './keys.ts';
import { type ConfigProblem, type Layer, type Setting, unknownKey } from './problems.ts';

const byName = new Map(keys.map((key) => [key.name, key]));
const sectionByName = new Map(sections.map((section) => [section.name, section]));
const written = new Map(
  [...byName.keys(), ...sectionByName.keys()].filter((name) => name !== '').map((name) => [name, name]),
);

/** YAML text with the settings in it; every problem names `file:line:column`. */
export function readFile(file: string, text: string): Layer {
  return new FileReader(file, text).read();
}

class FileReader {
  private readonly settings: Setting[] = [];
  private readonly problems: ConfigProblem[] = [];
  private readonly lines = new LineCounter();
  private readonly file: string;
  private readonly document: Document.Parsed;

  constructor(file: string, text: string) {
    this.file = file;
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
  }

  read(): Layer {
    for (const { pos, message } of [...this.document.errors, ...this.document.warnings])
      this.tell('configuration file', pos[0], `cannot be read as YAML: ${message}`);
    if (this.problems.length === 0) this.section(sections[0], this.document.contents);
    return { settings: this.settings, problems: this.problems };
  }

  private section(section: Section | undefined, node: Node | null | undefined): void {
    if (section === undefined || isEmpty(node)) return;
    if (isMap(node)) {
      for (const pair of node.items) this.pair(section, pair as Pair<Node, Node | null>);
      return;
    }
    const name = section.name === '' ? 'the file' : section.name;
    this.tell(name, node?.range?.[0], `must be a map with keys such as ${section.keys.slice(0, 3).join(', ')}`);
  }

  private pair(section: Section, pair: Pair<Node, Node | null>): void {
    const name = [...section.path, isScalar(pair.key) ? String(pair.key.value) : String(pair.key)].join('.');
    const node = isAlias(pair.value) ? pair.value.resolve(this.document) : pair.value;
    const key = byName.get(name);
    if (key !== undefined) {
      const value: unknown = pair.value?.toJS(this.document) ?? null;
      const start = pair.key.range?.[0];
      this.settings.push({
        key,
        value,
        layer: 'file',
        at: (itemPath = []) => this.where(itemStart(node, itemPath) ?? start),
      });
    } else if (sectionByName.has(name)) this.section(sectionByName.get(name), node);
    else this.problems.push(unknownKey(name, this.where(pair.key.range?.[0]), written));
  }

  private tell(key: string, start: number | undefined, message: string): void {
    this.problems.push({ key, where: this.where(start), message });
  }

  private where(start = 0): string {
    const { line, col } = this.lines.linePos(start);
    return `${this.file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  }
}

function isEmpty(node: Node | null | undefined): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

/** Where an item of a list or map starts; undefined when it is not there to point at. */
function itemStart(node: Node | null | undefined, itemPath: readonly PropertyKey[]): number | undefined {
  const item: unknown = itemPath.length > 0 && isCollection(node) ? node.getIn(itemPath, true) : node;
  return (item as Node | undefined)?.range?.[0];
}

function isCollection(node: Node | null | undefined): node is YAMLMap {
  return typeof (node as YAMLMap | undefined)?.getIn === 'function';
}
