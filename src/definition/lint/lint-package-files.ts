import { join } from 'node:path';
import { mapAt } from '../../document/fields.ts';
import { listDirectory } from '../../document/list-directory.ts';
import { cleanRelativePath } from '../../document/resolve-inside.ts';
import { memberOf, type YamlMap, type YamlNode } from '../../document/yaml-node.ts';
import { append } from '../../model/append.ts';
import { patchesOfVersions } from '../resolve-patches.ts';
import { type DefinitionFinding, styleFinding } from './definition-finding.ts';

/** Finds patches that nothing applies and files that neither a phase nor a key mentions. `scripts` are all phases of the package. */
export async function lintPackageFiles(
  root: YamlMap,
  directory: string,
  scripts: readonly string[],
): Promise<readonly DefinitionFinding[]> {
  return [...(await lintPatches(root, directory)), ...(await lintFiles(root, directory, scripts.join('\n')))];
}

async function lintPatches(root: YamlMap, directory: string): Promise<readonly DefinitionFinding[]> {
  const member = memberOf(root, 'patches');
  const listed = new Set(mapAt(root, 'patches')?.members.map(({ name }) => cleanRelativePath(name)));
  const ofVersions = patchesOfVersions(root);
  const isApplied = (path: string) =>
    ofVersions.has(path) || (member === undefined ? path.endsWith('.patch') : listed.has(path));
  const unused = (await filesBelow(directory, 'patches')).filter(
    (path) => /\.(?:patch|diff)$/.test(path) && !isApplied(path),
  );
  const hint =
    member === undefined ? 'without `patches:`, patches/*.patch are applied' : 'list it in `patches:`, or remove it';
  return unused.map((path) =>
    styleFinding('unused-patch', member?.key ?? root, `expected "${path}" to be applied, found it unused`, { hint }),
  );
}

async function lintFiles(root: YamlMap, directory: string, scripts: string): Promise<readonly DefinitionFinding[]> {
  const isNamed = pathsNamedIn(root);
  const below = await filesBelow(directory, 'files');
  const files = below.filter((path) => !isNamed(path)).map((path) => path.slice('files/'.length));
  if (files.length === 0) return [];
  const place = memberOf(root, 'phases')?.key ?? root;
  const hint = 'phases find it in $FILESDIR; remove it where nobody needs it';
  const mentions = [...scripts.matchAll(/\bFILESDIR\b\}?"?\/?([^\s"'`;|&()<>]*)/g)].map(([, rest]) => rest!);
  if (mentions.length === 0 && files.length === below.length) {
    return [styleFinding('unused-file', place, 'expected the phases to use "files", found them without it', { hint })];
  }
  const isUsed = (path: string) =>
    mentions.some(
      (rest) => !/^[A-Za-z0-9@%+=:,._/-]*[A-Za-z0-9_]$/.test(rest) || path === rest || path.startsWith(`${rest}/`),
    );
  return files
    .filter((path) => !isUsed(path))
    .map((path) =>
      styleFinding('unused-file', place, `expected the phases to use "files/${path}", found them without it`, { hint }),
    );
}

/** Tells of a path whether a key or a value of the recipe is that path: a source, a patch, a lock file of `vendor`. */
function pathsNamedIn(root: YamlMap): (path: string) => boolean {
  const patterns = new Set<string>();
  const collect = (text: string) => {
    const path = text.includes('\n') ? undefined : cleanRelativePath(text);
    if (path?.startsWith('files/')) patterns.add(path);
  };
  const waiting: YamlNode[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.kind === 'scalar') collect(node.text);
    if (node.kind === 'list') append(waiting, node.items);
    if (node.kind !== 'map') continue;
    for (const { name, value } of node.members) {
      collect(name);
      waiting.push(value);
    }
  }
  const named = [...patterns].map((pattern) => pattern.split(TEMPLATE));
  return (path) => named.some((parts) => hasParts(path, parts));
}

/** What a template stands for depends on the version: anything may be in its place. */
const TEMPLATE = /\{\{[^{}]*\}\}/;

/** Whether a text is these parts, in their order and with anything between them. */
function hasParts(text: string, [first, ...others]: readonly string[]): boolean {
  if (others.length === 0) return text === first;
  if (!text.startsWith(first!)) return false;
  const last = others.pop()!;
  let rest = text.slice(first!.length);
  for (const part of others) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return rest.endsWith(last);
}

const MOST_FILES = 10_000;

async function filesBelow(directory: string, start: string): Promise<readonly string[]> {
  const files: string[] = [];
  const waiting = [start];
  for (let path = waiting.pop(); path !== undefined && files.length < MOST_FILES; path = waiting.pop()) {
    for (const entry of (await listDirectory(join(directory, path), undefined)) ?? []) {
      if (entry.isDirectory()) waiting.push(`${path}/${entry.name}`);
      else files.push(`${path}/${entry.name}`);
    }
  }
  return files.sort();
}
