import { booleanAt, integerAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { nodeAt, type YamlMap, type YamlNode, type YamlScalar } from '../document/yaml-node.ts';
import {
  foreignFormatOfName,
  isWholeFileName,
  plainArchiveOf,
  undecidedHint,
  unpackingHint,
} from '../model/archive-format.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { isDebianPackageName } from '../model/names.ts';
import type { PackageSource, SourceLocation, SourceMirror } from '../model/package.ts';
import { acceptArtefact, archiveName, type Ecosystem } from '../model/registry.ts';
import { acceptInsidePath, acceptText, acceptUrl } from './checked-text.ts';
import { hashFile } from './hash-file.ts';
import { locateFile } from './locate-file.ts';
import type { RecipeReading } from './recipe-reading.ts';
import { sourceAt, versionMapping } from './version-mapping.ts';

const ARCHIVE = /\.(?:tar|tar\.(?:gz|bz2|xz|zst)|tgz|tbz2?|txz|tzst|crate|zip)$/;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9+._~@-]{0,199}$/;

/** The sources of a recipe at one version: URLs rendered, digests found, files of the recipe hashed. */
export async function resolveSources(reading: RecipeReading, version: string): Promise<readonly PackageSource[]> {
  const node = sourceAt(reading.root, version);
  const nodes = node === undefined ? [] : node.kind === 'list' ? node.items : [node];
  const digests = [...scalarsAt(versionMapping(reading.root, version), 'sha256')];
  const sources: PackageSource[] = [];
  for (const item of nodes) {
    const source = await resolveSource(reading, item, digests);
    if (source === undefined) continue;
    if (sources.some(({ fileName }) => fileName === source.fileName)) {
      const message = `Cannot use the source "${source.fileName}": expected each file name once, found it again`;
      reading.problems.add(item, message, { hint: 'give one of them another "filename"' });
    }
    sources.push(source);
  }
  const unused = digests[0];
  if (unused !== undefined && nodes.length > 0 && sources.length === nodes.length) {
    reading.problems.add(
      unused,
      `Cannot use the digest "${unused.text}": expected a source without one, found none left`,
    );
  }
  return sources;
}

async function resolveSource(
  reading: RecipeReading,
  node: YamlNode,
  digests: YamlScalar[],
): Promise<PackageSource | undefined> {
  const map = node.kind === 'map' ? node : undefined;
  const file = scalarAt(map, 'file');
  const urlNodes = node.kind === 'scalar' ? [node] : scalarsAt(map, 'url');
  const isRemote = urlNodes.length > 0 || nodeAt(map, 'mirrors') !== undefined;
  const registry = registryOf(map);
  if (registry !== undefined)
    return resolveRegistry(reading, registry, digests, { isAlone: !isRemote && file === undefined });
  if ((file !== undefined) === isRemote) {
    const found = isRemote ? 'both' : 'none of them';
    reading.problems.add(
      node,
      `Cannot read "source": expected either "url" and "mirrors", "file", or one of "npm", "crate", "pypi" and "go", found ${found}`,
    );
    return undefined;
  }
  const place =
    file === undefined
      ? resolveRemote(reading, node, urlNodes, digests)
      : await resolveFile(reading, file, scalarAt(map, 'sha256'));
  const rest = readLayout(reading, map);
  if (place === undefined) return undefined;
  const fileName = readFileName(reading, map, place.ownName, urlNodes[0] ?? file ?? node);
  if (fileName === undefined) return undefined;
  const written = booleanAt(map, 'unpack');
  const unpack = written ?? ARCHIVE.test(fileName);
  const isUndecided = written === undefined && !unpack && !isWholeFileName(fileName);
  const origin = urlNodes[0] ?? file ?? node;
  if (written !== false && !ARCHIVE.test(fileName)) refuseForeignArchive(reading, origin, fileName);
  if (isUndecided) refuseUndecided(reading, origin, fileName, place.start);
  const action = unpack ? 'unpack' : 'keep';
  const source = { location: place.location, sha256: place.sha256, fileName, action, ...rest } as const;
  return isUndecided ? { ...source, isUndecided } : source;
}

/** Otherwise the build would find a file where it expects a tree. */
function refuseForeignArchive({ problems }: RecipeReading, node: YamlNode, fileName: string): void {
  const format = foreignFormatOfName(fileName);
  if (format === undefined) return;
  const expected = 'a zip archive, or a tar that is plain or compressed by gzip, xz, zstd or bzip2';
  problems.add(node, `Cannot unpack "${fileName}": expected ${expected}, found ${format.description}`, {
    hint: unpackingHint(fileName, format),
  });
}

/** A file of the recipe is there to be looked at; of others the build tells the same. */
function refuseUndecided(
  { problems }: RecipeReading,
  node: YamlNode,
  fileName: string,
  start: Buffer | undefined,
): void {
  const archive = start === undefined ? undefined : plainArchiveOf(start);
  if (archive === undefined || foreignFormatOfName(fileName) !== undefined) return;
  const message = `Cannot use the source "${fileName}": expected a name that tells whether it is unpacked, found ${archive}`;
  problems.add(node, message, { hint: undecidedHint(fileName) });
}

const REGISTRY_KEYS = { npm: 'npm', crate: 'cargo', pypi: 'python', go: 'go' } as const;

interface RegistrySource {
  readonly map: YamlMap;
  readonly key: keyof typeof REGISTRY_KEYS;
  readonly ecosystem: Ecosystem;
  readonly node: YamlScalar;
}

function registryOf(map: YamlMap | undefined): RegistrySource | undefined {
  for (const [key, ecosystem] of Object.entries(REGISTRY_KEYS)) {
    const node = scalarAt(map, key);
    if (node !== undefined) return { map: map!, key: key as RegistrySource['key'], ecosystem, node };
  }
  return undefined;
}

/** A package of a registry at the recipe's own version, or the `version` said beside it. */
function resolveRegistry(
  reading: RecipeReading,
  { map, key, ecosystem, node }: RegistrySource,
  digests: YamlScalar[],
  { isAlone }: { readonly isAlone: boolean },
): PackageSource | undefined {
  const { problems } = reading;
  const others = Object.keys(REGISTRY_KEYS).filter((other) => other !== key && nodeAt(map, other) !== undefined);
  if (!isAlone || others.length > 0) {
    problems.add(node, `Cannot read "source": expected "${key}" without "url", "mirrors", "file" and other registries`);
    return undefined;
  }
  const digest = acceptSourceDigest(reading, map, digests);
  const name = reading.rendered(node)?.text;
  const stated = reading.rendered(scalarAt(map, 'version'))?.text ?? reading.values.get('version')!;
  const version = ecosystem === 'go' && !stated.startsWith('v') ? `v${stated}` : stated;
  if (name === undefined || digest === undefined) return undefined;
  const written = reading.rendered(scalarAt(map, 'filename'))?.text;
  const fileName =
    ecosystem === 'python'
      ? (written ?? `${name.replace(/[-_.]+/g, '_').toLowerCase()}-${version}.tar.gz`)
      : archiveName(ecosystem, name, version);
  const artefact = acceptArtefact({ ecosystem, name, version, fileName });
  if (artefact === undefined) {
    const label = `source.${key}`;
    problems.expected(node, label, `the name of a package there, and version ${version} to be one it could have`);
    return undefined;
  }
  const elements = ecosystem === 'go' ? name.split('/').length : 1;
  const layout = readLayout(reading, map, elements);
  const action = (booleanAt(map, 'unpack') ?? ARCHIVE.test(fileName)) ? 'unpack' : 'keep';
  return { location: { kind: 'registry', artefact }, sha256: digest, fileName, action, ...layout };
}

interface SourcePlace {
  readonly location: SourceLocation;
  readonly sha256: Digest;
  /** The end of its URL or path; undefined for what only mirrors have. */
  readonly ownName: string | undefined;
  /** The first bytes of a file that is there already. */
  readonly start?: Buffer;
}

function resolveRemote(
  reading: RecipeReading,
  node: YamlNode,
  urlNodes: readonly YamlScalar[],
  digests: YamlScalar[],
): SourcePlace | undefined {
  const { problems } = reading;
  const map = node.kind === 'map' ? node : undefined;
  const urls = urlNodes.map((url) => acceptUrl(reading.rendered(url), { label: 'source.url', problems }));
  const mirrors = readMirrors(reading, map);
  const sha256 = acceptSourceDigest(reading, node, digests);
  const found = urls.filter((url) => url !== undefined);
  if (sha256 === undefined || found.length !== urls.length) return undefined;
  const ownName = found[0] === undefined ? undefined : decodedEnd(new URL(found[0]).pathname);
  return { location: { kind: 'remote', urls: found, mirrors }, sha256, ownName };
}

function readMirrors(reading: RecipeReading, map: YamlMap | undefined): readonly SourceMirror[] {
  const { problems } = reading;
  const list = nodeAt(map, 'mirrors');
  if (list?.kind !== 'list') return [];
  return list.items.flatMap((item): SourceMirror[] => {
    if (item.kind === 'scalar') {
      const url = acceptUrl(reading.rendered(item), { label: 'source.mirrors', problems });
      return url === undefined ? [] : [{ kind: 'url', url }];
    }
    const name = reading.rendered(item.kind === 'map' ? scalarAt(item, 'debian') : undefined);
    const check = { label: 'source.mirrors.debian', problems };
    const sourcePackage = acceptText(name, 'the name of a Debian source package', isDebianPackageName, check);
    return sourcePackage === undefined ? [] : [{ kind: 'debian', sourcePackage }];
  });
}

async function resolveFile(
  reading: RecipeReading,
  node: YamlScalar,
  digest: YamlScalar | undefined,
): Promise<SourcePlace | undefined> {
  const { problems, directory, witness } = reading;
  const expected = digest === undefined ? undefined : acceptDigest(reading, digest);
  const path = acceptInsidePath(reading.rendered(node), { label: 'source.file', problems });
  if (path === undefined) return undefined;
  const found = await locateFile(directory, path, { node, label: 'source.file', wanted: 'file', problems, witness });
  if (found === undefined) return undefined;
  const hashed = await hashFile(found.path, path, witness).catch((error) => problems.addError(node, error));
  if (hashed === undefined) return undefined;
  const { sha256, start } = hashed;
  if (expected !== undefined && digest !== undefined && sha256 !== expected) {
    problems.add(digest, `Cannot use the source "${path}": expected SHA-256 ${expected}, found ${sha256}`, {
      code: 'checksum-mismatch',
    });
  }
  return { location: { kind: 'file', path: found.path }, sha256, ownName: path.split('/').at(-1)!, start };
}

/** The digest beside a source, else the next of the version's. */
function acceptSourceDigest(reading: RecipeReading, node: YamlNode, digests: YamlScalar[]): Digest | undefined {
  const digest = scalarAt(node.kind === 'map' ? node : undefined, 'sha256') ?? digests.shift();
  if (digest !== undefined) return acceptDigest(reading, digest);
  const hint = `add sha256: … beside it, or in "versions" at ${reading.values.get('version')}`;
  reading.problems.add(node, 'Cannot use the source: expected the SHA-256 of the file, found none', { hint });
  return undefined;
}

function acceptDigest({ problems }: RecipeReading, node: YamlScalar): Digest | undefined {
  const check = { label: 'sha256', problems };
  return acceptText({ node, text: node.text }, 'a SHA-256 as 64 lower-case hexadecimal digits', isDigest, check);
}

function readLayout(
  reading: RecipeReading,
  map: YamlMap | undefined,
  usualStrip = 1,
): { strip: number; directory: string } {
  const { problems } = reading;
  const strip = integerAt(map, 'strip', { label: 'source.strip', minimum: 0, maximum: 20, problems }) ?? usualStrip;
  const written = reading.rendered(scalarAt(map, 'directory'));
  if (written === undefined || written.text === '.' || written.text === './') return { strip, directory: '.' };
  return { strip, directory: acceptInsidePath(written, { label: 'source.directory', problems }) ?? '.' };
}

function readFileName(
  reading: RecipeReading,
  map: YamlMap | undefined,
  ownName: string | undefined,
  origin: YamlNode,
): string | undefined {
  const written = reading.rendered(scalarAt(map, 'filename'));
  const name = written?.text ?? ownName;
  if (name !== undefined && FILE_NAME.test(name)) return name;
  const found = name === undefined ? 'none' : `"${name}"`;
  const message = `Cannot name the source: expected a file name such as nginx-1.22.1.tar.gz, found ${found}`;
  reading.problems.add(written?.node ?? origin, message, {
    hint: written === undefined ? 'say what the file is called with "filename"' : undefined,
  });
  return undefined;
}

function decodedEnd(pathname: string): string {
  const end = pathname.split('/').at(-1)!;
  try {
    return decodeURIComponent(end);
  } catch {
    return end;
  }
}
