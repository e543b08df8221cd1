import { isMap, isScalar, isSeq, type Pair, type ParsedNode } from 'yaml';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { composeYaml, type Refuse } from './compose-yaml.ts';
import {
  type DocumentText,
  positionAt,
  type ScalarStyle,
  type YamlMap,
  type YamlMember,
  type YamlNode,
  type YamlScalar,
} from './yaml-node.ts';

/**
 * Parses one YAML 1.2 document into a tree that keeps positions and source texts. Throws a BuilditError with a position
 * for everything that is not plain data: aliases, tags, merge keys, duplicate or odd keys, other documents, directives.
 * Keys that begin with `x-` are left out.
 */
export function parseYaml(document: DocumentText, code: ErrorCode): YamlNode {
  const refuse: Refuse = (offset, found, hint) => {
    throw new BuilditError(code, `Cannot read "${printable(document.name)}" as YAML: ${printable(found)}`, {
      hint: hint === undefined ? undefined : printable(hint),
      position: positionAt(document, Math.min(offset, document.text.length)),
    });
  };
  return convert(composeYaml(document.text, refuse), { document, refuse });
}

interface Conversion {
  readonly document: DocumentText;
  readonly refuse: Refuse;
}

function convert(node: ParsedNode | null, conversion: Conversion): YamlNode {
  const { document, refuse } = conversion;
  const [start, end] = node?.range ?? [0, 0];
  const place = { document, start, end };
  if (node === null) return { kind: 'scalar', style: 'plain', text: '', value: null, ...place };
  if (isMap(node)) return { kind: 'map', members: convertMembers(node.items, conversion), ...place };
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => convert(item, conversion)), ...place };
  if (!isScalar(node)) return refuse(start, 'expected plain data, found an alias', 'write the value out');
  const style = styleOf(node.type);
  const value = node.value as string | number | boolean | null;
  return { kind: 'scalar', style, text: style === 'plain' ? (node.source ?? '') : String(value), value, ...place };
}

function convertMembers(pairs: readonly Pair<ParsedNode, ParsedNode | null>[], conversion: Conversion): YamlMember[] {
  const members: YamlMember[] = [];
  const seen = new Map<string, number>();
  for (const { key: parsedKey, value } of pairs) {
    const key = convertKey(parsedKey, conversion);
    const known = seen.get(key.text);
    if (known !== undefined) {
      const { line } = positionAt(conversion.document, known);
      conversion.refuse(key.start, `expected each key once, found "${key.text}" again (first in line ${line})`);
    }
    seen.set(key.text, key.start);
    const converted = value === null ? emptyAt(key) : convert(value, conversion);
    if (!key.text.startsWith('x-')) members.push({ key, name: key.text, value: converted });
  }
  return members;
}

function convertKey(parsedKey: ParsedNode, conversion: Conversion): YamlScalar {
  const key = convert(parsedKey, conversion);
  if (key.kind === 'map' && isUnquotedTemplate(key)) {
    const source = key.document.text.slice(key.start - 1, key.end + 1);
    conversion.refuse(key.start - 1, `expected a text, found the unquoted template ${source}`, `quote it: "${source}"`);
  }
  if (key.kind !== 'scalar') return conversion.refuse(key.start, `expected a text as key, found a ${key.kind}`);
  if (key.style === 'plain' && key.text === '<<') {
    conversion.refuse(key.start, 'expected plain keys, found a merge key ("<<")', 'write the keys out');
  }
  if (key.text === '__proto__' || key.text === '') {
    conversion.refuse(key.start, `expected a name as key, found "${key.text}"`);
  }
  return key;
}

/** `{{ name }}` without quotes is, to YAML, a mapping whose key is the mapping `{name: null}`. */
function isUnquotedTemplate(node: YamlMap): boolean {
  return node.document.text.startsWith('{{', node.start - 1);
}

function emptyAt({ document, start, end }: YamlScalar): YamlScalar {
  return { kind: 'scalar', style: 'plain', text: '', value: null, document, start, end };
}

function styleOf(type: string | undefined): ScalarStyle {
  if (type === 'PLAIN' || type === undefined) return 'plain';
  return type.startsWith('BLOCK') ? 'block' : 'quoted';
}
