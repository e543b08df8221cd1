import { parseYaml } from '../document/parse-yaml.ts';
import {
  type DocumentText,
  isNull,
  memberOf,
  plainValue,
  type YamlMap,
  type YamlMember,
  type YamlNode,
} from '../document/yaml-node.ts';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** What `patches:` says about one patch. */
export interface PatchEntry {
  /** A path below the directory of pkg.yaml, or a URL. */
  readonly key: string;
  readonly description: string;
  readonly fixes?: readonly string[];
  readonly sha256?: string;
  readonly strip?: number;
}

/**
 * The text of a pkg.yaml with entries added at the end of its `patches:`, which is made where it is missing. Everything
 * else stays as it is, byte for byte. Throws `definition-invalid`, with the line to add, where that cannot be done.
 */
export function addPatchEntries(document: DocumentText, entries: readonly PatchEntry[]): string {
  const root = parsedMap(document);
  const text = withEntries(document.text, memberOf(root, 'patches'), entries);
  const wanted = Object.fromEntries(entries.map((entry) => [entry.key, entryValue(entry)]));
  return checked(document, text, (before) => ({
    ...before,
    patches: { ...(before.patches as Record<string, JsonValue> | null), ...wanted },
  }));
}

/** The text of a pkg.yaml in which a patch has another `sha256`; undefined where its entry gives none. */
export function repinPatch(document: DocumentText, key: string, sha256: string): string | undefined {
  const entry = entryOf(parsedMap(document), key);
  const pin = entry?.kind === 'map' ? memberOf(entry, 'sha256')?.value : undefined;
  if (pin === undefined) return undefined;
  return document.text.slice(0, pin.start) + sha256 + document.text.slice(pin.end);
}

function parsedMap(document: DocumentText): YamlMap {
  const root = parseYaml(document, 'definition-invalid');
  if (root.kind === 'map') return root;
  throw refusal(document, []);
}

function entryOf(root: YamlMap, key: string): YamlNode | undefined {
  const patches = memberOf(root, 'patches')?.value;
  return patches?.kind === 'map' ? memberOf(patches, key)?.value : undefined;
}

function withEntries(text: string, patches: YamlMember | undefined, entries: readonly PatchEntry[]): string {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const block = (indent: string) => entries.map((entry) => `${indent}${entryLine(entry)}${lineEnd}`).join('');
  if (patches === undefined) {
    const { end, mark } = endOfContent(text);
    const gap = end === 0 || text[end - 1] === '\n' ? '' : lineEnd;
    return `${text.slice(0, end)}${gap}patches:${lineEnd}${block('  ')}${mark}`;
  }
  const { key, value } = patches;
  if (isNull(value)) {
    return inserted(text, lineBehind(text, value.end), block(`${indentAt(text, key.start)}  `), lineEnd);
  }
  if (value.kind !== 'map') return text;
  if (text[value.start] === '{') return insideBraces(text, value, entries);
  const last = value.members.at(-1)!;
  return inserted(text, lineBehind(text, lastEnd(last.value)), block(indentAt(text, last.key.start)), lineEnd);
}

/** Before `...`, which ends a document. */
function endOfContent(text: string): { end: number; mark: string } {
  const [mark] = /(?<=^|\n)\.\.\.[ \t]*\r?\n?$/.exec(text) ?? [''];
  return { end: text.length - mark.length, mark };
}

function insideBraces(text: string, map: YamlMap, entries: readonly PatchEntry[]): string {
  const added = entries.map(entryLine).join(', ');
  const close = map.end - 1;
  const before = text.slice(map.start + 1, close);
  const last = map.members.at(-1);
  if (last === undefined) return `${text.slice(0, map.start + 1)}${added}${text.slice(close)}`;
  const end = last.value.end;
  const hasComma = /^\s*,/.test(text.slice(end, close));
  if (hasComma) {
    const comma = text.indexOf(',', end) + 1;
    return `${text.slice(0, comma)} ${added}${text.slice(comma)}`;
  }
  const needsSpace = before.startsWith(' ') && !/\s$/.test(text.slice(end, close)) ? ' ' : '';
  return `${text.slice(0, end)}, ${added}${needsSpace}${text.slice(end)}`;
}

/** The end of the last thing that is written in a node: of a mapping in block style, that of its last value. */
function lastEnd(node: YamlNode): number {
  const inside =
    node.kind === 'map' ? node.members.at(-1)?.value : node.kind === 'list' ? node.items.at(-1) : undefined;
  const isFlow = '{['.includes(node.document.text[node.start] ?? '') && node.kind !== 'scalar';
  return inside === undefined || isFlow ? node.end : Math.max(lastEnd(inside), node.start);
}

/** The beginning of the next line. */
function lineBehind(text: string, end: number): number {
  if (text[end - 1] === '\n') return end;
  const lineFeed = text.indexOf('\n', end);
  return lineFeed < 0 ? text.length : lineFeed + 1;
}

function inserted(text: string, at: number, lines: string, lineEnd: string): string {
  const gap = at > 0 && text[at - 1] !== '\n' ? lineEnd : '';
  return `${text.slice(0, at)}${gap}${lines}${text.slice(at)}`;
}

function indentAt(text: string, start: number): string {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return /^[ ]*/.exec(text.slice(line, start))![0];
}

/** JSON's quotes are YAML's; a path is plain where that cannot be misread. */
function entryLine(entry: PatchEntry): string {
  const key = /^[A-Za-z][A-Za-z0-9._/+-]*$/.test(entry.key) ? entry.key : JSON.stringify(entry.key);
  return `${key}: ${flowText(entryValue(entry))}`;
}

function entryValue({ description, fixes = [], sha256, strip = 1 }: PatchEntry): JsonValue {
  if (fixes.length === 0 && sha256 === undefined && strip === 1) return description;
  return {
    description,
    ...(fixes.length === 0 ? {} : { fixes: [...fixes] }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(strip === 1 ? {} : { strip }),
  };
}

function flowText(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (value === null || typeof value !== 'object') {
    return typeof value === 'string' && /^[A-Z]{2,}-[0-9-]+$/.test(value) ? value : JSON.stringify(value);
  }
  return `{ ${Object.entries(value)
    .map(([key, member]) => `${key}: ${flowText(member!)}`)
    .join(', ')} }`;
}

/** What was written is what was meant: the new text is read back, and says the wanted and nothing else. */
function checked(
  document: DocumentText,
  text: string,
  change: (before: Record<string, JsonValue>) => Record<string, JsonValue>,
): string {
  const wanted = change(valuesOf(document));
  try {
    const { patches } = wanted as { patches: Record<string, JsonValue> };
    const found = valuesOf({ ...document, text, lineStarts: lineStartsOf(text) });
    const keys = Object.keys((found.patches ?? {}) as object);
    if (canonicalJson(found) === canonicalJson(wanted) && keys.join('\n') === Object.keys(patches).join('\n'))
      return text;
  } catch {
    // Said below.
  }
  throw refusal(document, Object.entries((wanted.patches ?? {}) as Record<string, JsonValue>));
}

function valuesOf(document: DocumentText): Record<string, JsonValue> {
  return plainValue(parseYaml(document, 'definition-invalid')) as Record<string, JsonValue>;
}

function lineStartsOf(text: string): number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}

function refusal({ name }: DocumentText, entries: readonly (readonly [string, JsonValue])[]): BuilditError {
  const last = entries.at(-1);
  return new BuilditError(
    'definition-invalid',
    `Cannot change "${printable(name)}": expected a "patches:" that a line can be added to, found another form`,
    { hint: last && `add it by hand: ${JSON.stringify(last[0])}: ${flowText(last[1])}` },
  );
}
