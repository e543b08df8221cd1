import type { ErrorObject } from 'ajv';
import { closestName, didYouMean } from './closest-name.ts';
import type { Problems } from './problems.ts';
import { describeNode, memberOf, type YamlNode } from './yaml-node.ts';

/**
 * Words of the format that this version does not act on, by where they stand: the path of the mapping with numbers as
 * `*` (`*` for a step of container.yaml, `*.package.type` for a value) to the words.
 */
export type UnsupportedWords = Readonly<Record<string, readonly string[]>>;

/** Tells violations of a schema in the words of the file: what was expected where, what was found, what was meant. */
export function addSchemaProblems(
  errors: readonly ErrorObject[],
  root: YamlNode,
  problems: Problems,
  unsupported: UnsupportedWords,
): void {
  const missing = errors.filter(({ keyword }) => keyword === 'required');
  for (const path of new Set(missing.map(({ instancePath }) => instancePath))) {
    const unknown = errors.filter((error) => error.keyword === 'additionalProperties' && error.instancePath === path);
    const here = missing.filter((error) => error.instancePath === path && !unknown.some((one) => isMeant(error, one)));
    if (here.length > 0) addMissingKeys(here, placeOf(here[0]!, root), problems);
  }
  for (const error of errors) addSchemaProblem(error, root, problems, unsupported);
}

/** Whether a key is missing because it stands there misspelt: then one message is enough. */
function isMeant({ params: { missingProperty } }: ErrorObject, unknown: ErrorObject): boolean {
  const known = knownKeys(unknown);
  return known.length === 1 || closestName(String(unknown.params.additionalProperty), known) === missingProperty;
}

function addMissingKeys(errors: readonly ErrorObject[], { node, label }: Place, problems: Problems): void {
  const keys = [...new Set(errors.map(({ params }) => `"${params.missingProperty}"`))];
  const expected =
    keys.length === 1 ? `the key ${keys[0]}` : `the keys ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}`;
  problems.add(node, `Cannot read "${label}": expected ${expected}, found ${keysOf(node)}`);
}

function addSchemaProblem(error: ErrorObject, root: YamlNode, problems: Problems, unsupported: UnsupportedWords): void {
  const place = placeOf(error, root);
  const { node, label } = place;
  switch (error.keyword) {
    case 'if':
    case 'propertyNames':
    case 'required':
      break;
    case 'additionalProperties':
      addUnknownKey(error, place, problems, unsupported);
      break;
    case 'enum':
      addUnknownWord(error, place, problems, unsupported);
      break;
    case 'maxProperties': {
      const hint = 'begin each step with "- " and indent its keys below its name';
      problems.add(node, `Cannot read "${label}": expected one step, found ${keysOf(node)}`, { hint });
      break;
    }
    default: {
      // What a mapping is told to be a text for is one of its keys.
      const key = node.kind === 'map' && typeof error.data === 'string' ? memberOf(node, error.data)?.key : undefined;
      problems.expected(key ?? node, label, expectedBy(error));
    }
  }
}

interface Place {
  readonly node: YamlNode;
  /** `sync.dest`, `image.tags[0]`, or the name of the file. */
  readonly label: string;
  /** As in `UnsupportedWords`. */
  readonly pattern: string;
}

function placeOf({ instancePath }: ErrorObject, root: YamlNode): Place {
  let node = root;
  const label: string[] = [];
  const pattern: string[] = [];
  for (const step of instancePath.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const isItem = node.kind === 'list';
    const next: YamlNode | undefined = node.kind === 'list' ? node.items[Number(name)] : valueAt(node, name);
    if (next === undefined) break;
    if (!isItem) label.push(label.length === 0 ? name : `.${name}`);
    else if (label.length > 0) label.push(`[${name}]`);
    pattern.push(isItem ? '*' : name);
    node = next;
  }
  return { node, label: label.join('') || root.document.name, pattern: pattern.join('.') };
}

function valueAt(node: YamlNode, name: string): YamlNode | undefined {
  return node.kind === 'map' ? memberOf(node, name)?.value : undefined;
}

function addUnknownKey(error: ErrorObject, place: Place, problems: Problems, unsupported: UnsupportedWords): void {
  const name = String(error.params.additionalProperty);
  const key = place.node.kind === 'map' ? memberOf(place.node, name)?.key : undefined;
  if (key === undefined) return;
  if (unsupported[place.pattern]?.includes(name)) {
    addUnsupported(key, name, problems);
    return;
  }
  const known = knownKeys(error);
  const message = `Cannot read "${place.label}": expected ${oneOf(known)}, found the unknown key "${name}"`;
  const hint = didYouMean(name, known);
  problems.add(key, message, { hint, settles: hint === undefined ? undefined : place.node });
}

function knownKeys({ parentSchema }: ErrorObject): readonly string[] {
  return Object.keys(parentSchema?.properties ?? {});
}

function addUnknownWord(error: ErrorObject, place: Place, problems: Problems, unsupported: UnsupportedWords): void {
  const { node, label, pattern } = place;
  const word = node.kind === 'scalar' ? node.text : '';
  if (unsupported[pattern]?.includes(word)) {
    addUnsupported(node, word, problems);
    return;
  }
  const hint = didYouMean(word, (error.params.allowedValues as unknown[]).map(String));
  problems.expected(node, label, expectedBy(error), { hint });
}

function addUnsupported(node: YamlNode, word: string, problems: Problems): void {
  problems.add(node, `Cannot use "${word}": this version of buildit does not support it yet`);
}

function keysOf(node: YamlNode): string {
  if (node.kind !== 'map' || node.members.length === 0) return describeNode(node);
  const names = node.members.slice(0, 8).map(({ name }) => name);
  return names.join(', ') + (node.members.length > names.length ? ', …' : '');
}

/** The title of a schema says what it wants; where it has none, its keyword does. */
function expectedBy({ keyword, params, parentSchema }: ErrorObject): string {
  const title = parentSchema?.title;
  // The title of a whole schema is the name of its file.
  if (typeof title === 'string' && title !== '' && parentSchema?.$id === undefined) return title;
  switch (keyword) {
    case 'type':
      return oneOfTypes([params.type].flat().map(String));
    case 'enum':
      return oneOf((params.allowedValues as unknown[]).map(String));
    case 'minItems':
    case 'minProperties':
      return `at least ${params.limit} ${params.limit === 1 ? 'entry' : 'entries'}`;
    default:
      return `a value that the schema's "${keyword}" allows`;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'nothing',
};

/** A text may be written as a number or a truth value too; only the text is worth telling. */
function oneOfTypes(types: readonly string[]): string {
  const isText = types.includes('string');
  const told = types.filter((type) => !isText || !['integer', 'number', 'boolean'].includes(type));
  return told.map((type) => TYPE_NAMES[type] ?? type).join(' or ');
}

function oneOf(words: readonly string[]): string {
  return words.length <= 1 ? (words[0] ?? 'no key') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
