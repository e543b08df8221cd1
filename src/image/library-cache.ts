import type { ElfFacts } from '../model/layer.ts';
import { multiarchTriplet, type Platform } from '../model/platform.ts';
import { type CachedLibrary, ldSoCache } from './ld-so-cache.ts';
import type { MergedTree } from './merge-tree.ts';
import { resolveInTree } from './tree-path.ts';

export interface LibraryCacheInput {
  readonly tree: MergedTree;
  /** Of all packages. */
  readonly elf: readonly ElfFacts[];
  readonly platform: Platform;
  readText(path: string): Promise<string>;
}

/**
 * The content of /etc/ld.so.cache, where it is needed: when a library lies in a directory that only /etc/ld.so.conf.d
 * names, which the loader knows from the cache alone. Undefined where its own directories hold everything.
 */
export async function libraryCache(input: LibraryCacheInput): Promise<Uint8Array | undefined> {
  const defaults = defaultDirectories(input.platform);
  const sonames = new Map(input.elf.flatMap(({ path, soname }) => (soname === undefined ? [] : [[path, soname]])));
  const holders = new Set([...sonames.keys()].map(directoryOf));
  if ([...holders].every((directory) => defaults.includes(directory))) return undefined;
  const configured = (await configuredDirectories(input)).filter((directory) => !defaults.includes(directory));
  if (!configured.some((directory) => holders.has(directory))) return undefined;
  const libraries = [...configured, ...defaults].flatMap((directory) => librariesIn(input.tree, directory, sonames));
  return ldSoCache(libraries, input.platform);
}

/** Where Debian's loader looks without being told; /lib is a link to /usr/lib. */
function defaultDirectories(platform: Platform): string[] {
  return [`usr/lib/${multiarchTriplet(platform)}`, 'usr/lib'];
}

/** ldconfig(8): one directory a line, `#` begins a comment, files in the order of their names. */
async function configuredDirectories({ tree, readText }: LibraryCacheInput): Promise<string[]> {
  const files = [...tree.entries.values()]
    .filter(({ entry }) => entry.type === 'file' && /^etc\/ld\.so\.conf\.d\/[^/]+\.conf$/.test(entry.path))
    .map(({ entry }) => entry.path)
    .sort();
  const texts = await Promise.all(files.map(readText));
  const lines = texts.flatMap((text) => text.split('\n').map((line) => line.replace(/#.*/, '').trim()));
  const directories = lines
    .filter((line) => line.startsWith('/'))
    .map((line) => resolveInTree((path) => tree.entries.get(path)?.entry, line, { followLast: true }))
    .flatMap((resolved) => (resolved.kind === 'path' ? [resolved.path] : []));
  return [...new Set(directories)];
}

/** Libraries by their sonames, and by the names of the links that dlopen may be given, as ldconfig lists them. */
function librariesIn(tree: MergedTree, directory: string, sonames: ReadonlyMap<string, string>): CachedLibrary[] {
  const libraries: CachedLibrary[] = [];
  for (const path of tree.entries.keys()) {
    if (directoryOf(path) !== directory) continue;
    const name = path.slice(directory.length + 1);
    if (!/^(lib|ld-).*\.so(\.|$)/.test(name)) continue;
    const resolved = resolveInTree((other) => tree.entries.get(other)?.entry, path, { followLast: true });
    const soname = resolved.kind === 'path' ? sonames.get(resolved.path) : undefined;
    if (soname === undefined || (name !== soname && !name.endsWith('.so'))) continue;
    libraries.push({ name, path: `/${path}` });
  }
  return libraries;
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
