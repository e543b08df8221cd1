import { join } from 'node:path';
import { integerAt, mapAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import { listDirectory } from '../document/list-directory.ts';
import { shownPath } from '../document/read-document.ts';
import { readBytes } from '../document/read-text.ts';
import { cleanRelativePath } from '../document/resolve-inside.ts';
import { memberOf, positionOf, type YamlMap, type YamlMember, type YamlNode } from '../document/yaml-node.ts';
import { type Digest, isDigest, sha256 } from '../model/digest.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import type { PackagePatch } from '../model/package.ts';
import { acceptInsidePath, acceptText, acceptUrl } from './checked-text.ts';
import { locateFile } from './locate-file.ts';
import type { RecipeReading } from './recipe-reading.ts';
import { versionMapping } from './version-mapping.ts';

const MAXIMUM_PATCH_BYTES = 32 * 1024 * 1024;

/**
 * The patches of one pkg.yaml in the order they apply: those that `patches:` names, in the order written, or else
 * `patches/*.patch` in lexical order of their bytes, less what versions name for themselves; then those of the version.
 */
export async function resolvePatches(reading: RecipeReading, version: string): Promise<readonly PackagePatch[]> {
  const { root } = reading;
  const named = mapAt(root, 'patches');
  const ofAll = memberOf(root, 'patches') === undefined ? await patchesOfDirectory(reading) : [];
  const ofVersion = mapAt(versionMapping(root, version), 'patches');
  const patches: PackagePatch[] = [...ofAll];
  for (const entry of [...(named?.members ?? []), ...(ofVersion?.members ?? [])]) {
    const patch = await resolvePatch(reading, entry);
    if (patch !== undefined) patches.push(patch);
  }
  return patches;
}

async function patchesOfDirectory(reading: RecipeReading): Promise<readonly PackagePatch[]> {
  const others = patchesOfVersions(reading.root);
  return await patchesIn(reading, 'patches', reading.root, (path) => !others.has(path));
}

/** Paths that any version names as its own, below the recipe's directory. */
export function patchesOfVersions(root: YamlMap): ReadonlySet<string | undefined> {
  const versions = (mapAt(root, 'versions')?.members ?? []).map(({ value }) => value);
  const patches = versions.flatMap((version) =>
    version.kind === 'map' ? (mapAt(version, 'patches')?.members ?? []) : [],
  );
  return new Set(patches.map(({ name }) => cleanRelativePath(name)));
}

/** `PATH/*.patch` below a directory in lexical order of their bytes; complaints are about `node`. */
async function patchesIn(
  place: PatchPlace,
  path: string,
  node: YamlNode,
  isMeant: (path: string) => boolean = () => true,
): Promise<readonly PackagePatch[]> {
  const entries = await listDirectory(join(place.directory, path), place.witness);
  if (entries === undefined) {
    place.problems.add(node, `Cannot read "${path}": expected a readable directory, found something else`);
    return [];
  }
  const names = entries.map(({ name }) => name);
  const sorted = names
    .filter((name) => name.endsWith('.patch') && isMeant(`${path}/${name}`))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const patches: PackagePatch[] = [];
  for (const name of sorted) {
    const what = { node, description: '', fixes: [], strip: 1, expected: undefined };
    const patch = await resolveFilePatch(place, `${path}/${name}`, what);
    if (patch !== undefined) patches.push(patch);
  }
  return patches;
}

/**
 * The user's own patches of a package: those of every version, then those of this one, from
 * `CATEGORY/NAME/` and `CATEGORY/NAME-VERSION/` below a directory (absolute). They may be links to where the user keeps
 * them.
 */
export async function resolveUserPatches(
  directory: string,
  { name, version, node }: { readonly name: string; readonly version: string; readonly node: YamlNode },
  { problems, witness }: Pick<PatchPlace, 'problems' | 'witness'>,
): Promise<readonly PackagePatch[]> {
  const place = { directory: '/', problems, witness };
  const paths = [name, `${name}-${version}`].map((below) => join(directory, below).slice(1));
  const found = [await patchesIn(place, paths[0]!, node), await patchesIn(place, paths[1]!, node)];
  return found.flat().map(({ position: _, ...patch }) => ({ ...patch, ofUser: true }));
}

/** Where patches are looked for, and who is told what is wrong with them. */
type PatchPlace = Pick<RecipeReading, 'directory' | 'problems' | 'witness'>;

async function resolvePatch(
  reading: RecipeReading,
  { key, name, value }: YamlMember,
): Promise<PackagePatch | undefined> {
  const { problems } = reading;
  const map: YamlMap | undefined = value.kind === 'map' ? value : undefined;
  const digest = scalarAt(map, 'sha256');
  const check = { label: 'patches', problems };
  const expected = acceptText(
    digest && { node: digest, text: digest.text },
    'a SHA-256 as 64 lower-case hexadecimal digits',
    isDigest,
    check,
  );
  const what = {
    node: key,
    description: (value.kind === 'scalar' ? value.text : textAt(map, 'description')) ?? '',
    fixes: scalarsAt(map, 'fixes').map(({ text }) => text),
    strip: integerAt(map, 'strip', { label: 'patches.strip', minimum: 0, maximum: 20, problems }) ?? 1,
    expected,
  };
  // A scheme, as in https://…, or in ext::…, which git would run.
  if (!/^[a-z][a-z0-9+.-]*:/i.test(name)) {
    const path = acceptInsidePath({ node: key, text: name }, check);
    return path === undefined ? undefined : await resolveFilePatch(reading, path, what);
  }
  const url = acceptUrl({ node: key, text: name }, check);
  if (url === undefined) return undefined;
  const { description, fixes, strip } = what;
  const location = { kind: 'url', url } as const;
  return {
    location,
    description,
    fixes,
    strip,
    sha256: expected,
    normalisedSha256: undefined,
    position: positionOf(key),
  };
}

interface PatchFacts {
  readonly node: YamlNode;
  readonly description: string;
  readonly fixes: readonly string[];
  readonly strip: number;
  readonly expected: Digest | undefined;
}

async function resolveFilePatch(
  { directory, problems, witness }: PatchPlace,
  path: string,
  { node, description, fixes, strip, expected }: PatchFacts,
): Promise<PackagePatch | undefined> {
  const found = await locateFile(directory, path, { node, label: 'patches', wanted: 'file', problems, witness });
  if (found === undefined) return undefined;
  const shown = shownPath(join(directory, path));
  try {
    const options = { name: shown, maximumBytes: MAXIMUM_PATCH_BYTES, code: 'definition-invalid', witness } as const;
    const bytes = await readBytes(found.path, options);
    const digest = sha256(bytes);
    if (expected !== undefined && digest !== expected) {
      problems.add(node, `Cannot use the patch "${path}": expected SHA-256 ${expected}, found ${digest}`, {
        code: 'checksum-mismatch',
      });
      return undefined;
    }
    const normalised = normalisePatch(bytes.toString('latin1'), strip, shown);
    return {
      location: { kind: 'file', path: found.path, shownPath: shown },
      description,
      fixes,
      strip,
      sha256: digest,
      normalisedSha256: sha256(Buffer.from(normalised, 'latin1')),
      position: positionOf(node),
    };
  } catch (error) {
    problems.addError(node, error);
    return undefined;
  }
}
