import type { YamlMap, YamlNode, YamlScalar } from '../../document/yaml-node.ts';
import { type DefinitionFinding, styleFinding } from './definition-finding.ts';

/** Keys whose value is a truth value, and those whose value is a mode, wherever they stand below these. */
export const BOOLEAN_KEYS: ReadonlySet<string> = new Set(['default', 'recursive', 'template', 'unpack']);
export const MODE_KEYS: ReadonlySet<string> = new Set(['chmod', 'dirmode']);
/** Mappings whose keys are names that people choose, and are no keys of the format. */
const OPEN_MAPS: ReadonlySet<string> = new Set([
  'capabilities',
  'environment',
  'flags',
  'labels',
  'patches',
  'subpackages',
  'vars',
  'versions',
]);

/** Judges how truth values and modes are spelt, and spaces at the ends of lines. */
export function lintSpelling(root: YamlNode): readonly DefinitionFinding[] {
  return [...lintValues(root, true), ...lintSpaces(root)];
}

function lintValues(node: YamlNode, hasKeys: boolean): readonly DefinitionFinding[] {
  if (node.kind === 'scalar') return [];
  if (node.kind === 'list') return node.items.flatMap((item) => lintValues(item, true));
  return lintMembers(node, hasKeys);
}

function lintMembers({ members }: YamlMap, hasKeys: boolean): readonly DefinitionFinding[] {
  return members.flatMap(({ name, value }) => {
    if (value.kind !== 'scalar') return lintValues(value, !(hasKeys && OPEN_MAPS.has(name)));
    if (!hasKeys) return [];
    if (BOOLEAN_KEYS.has(name)) return lintBoolean(name, value);
    return MODE_KEYS.has(name) ? lintMode(name, value) : [];
  });
}

const BOOLEAN_SPELLINGS: Readonly<Record<string, string>> = {
  true: 'true',
  yes: 'true',
  on: 'on',
  false: 'false',
  no: 'false',
  off: 'off',
};

function lintBoolean(name: string, node: YamlScalar): readonly DefinitionFinding[] {
  const wanted = BOOLEAN_SPELLINGS[node.text.toLowerCase()];
  if (wanted === undefined || (node.text === wanted && node.style === 'plain')) return [];
  return [respelt('boolean-spelling', name, node, wanted)];
}

function lintMode(name: string, node: YamlScalar): readonly DefinitionFinding[] {
  const digits = /^(?:0o)?0*([0-7]{1,4})$/.exec(node.text)?.[1];
  if (digits === undefined) return [];
  const wanted = `0${digits.padStart(3, '0')}`;
  return node.text === wanted ? [] : [respelt('mode-spelling', name, node, wanted)];
}

function respelt(
  code: 'boolean-spelling' | 'mode-spelling',
  name: string,
  node: YamlScalar,
  wanted: string,
): DefinitionFinding {
  const written = node.document.text.slice(node.start, node.end);
  return styleFinding(code, node, `"${name}" is spelt ${written}, expected ${wanted}`, {
    fix: { start: node.start, end: node.end, text: wanted },
  });
}

/** A space at the end of a line of a script or of another long text belongs to it: that is for a person to mend. */
function lintSpaces(root: YamlNode): readonly DefinitionFinding[] {
  const { document } = root;
  const texts = longTexts(root);
  return [...document.text.matchAll(/(?<![ \t])[ \t]+(?=\r?(?:\n|$))/g)].map(({ 0: spaces, index: start }) => {
    const isOfText = texts.some((text) => start >= text.start && start < text.end);
    return styleFinding('trailing-space', { document, start }, 'expected the end of the line, found spaces before it', {
      hint: isOfText ? 'they are a part of the text here: remove them by hand' : undefined,
      fix: isOfText ? undefined : { start, end: start + spaces.length, text: '' },
    });
  });
}

function longTexts(node: YamlNode): readonly YamlScalar[] {
  if (node.kind === 'map') return node.members.flatMap(({ value }) => longTexts(value));
  if (node.kind === 'list') return node.items.flatMap(longTexts);
  const isLong = node.style !== 'plain' && node.document.text.slice(node.start, node.end).includes('\n');
  return isLong || node.style === 'block' ? [node] : [];
}
