import { posix } from 'node:path';
import { canonicalLayerPath } from '../../layer/canonical-layer-path.ts';
import type { ElfFacts } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';
import { machineTriplet } from './machine-triplet.ts';

/**
 * Judges where programs and libraries look for libraries besides the usual places (DT_RPATH, DT_RUNPATH): in a standard
 * library directory, or in one that the package itself has. Everything else is a place that somebody else may fill.
 */
export function lintRunPaths(
  elf: readonly ElfFacts[],
  { directories, platform }: { readonly directories: ReadonlySet<string>; readonly platform: string },
): readonly OutputFinding[] {
  const triplet = machineTriplet(platform);
  const standard = new Set(['usr/lib', 'usr/lib32', 'usr/lib64', `usr/lib/${triplet}`]);
  const isSound = (path: string | undefined) => path !== undefined && (standard.has(path) || directories.has(path));
  return elf.flatMap(({ path, runPaths }): OutputFinding[] => {
    const wrong = runPaths.filter((runPath) => !isSound(resolveRunPath(path, runPath, triplet)));
    if (wrong.length === 0) return [];
    return [{ code: 'run-path', path, found: wrong.map((runPath) => `"${runPath}"`).join(', ') }];
  });
}

/** The path in the image that a run path means, without a leading slash; undefined where it could be anywhere. */
function resolveRunPath(file: string, runPath: string, triplet: string): string | undefined {
  const expanded = runPath
    .replaceAll(/\$(?:ORIGIN\b|\{ORIGIN\})/g, `/${posix.dirname(file)}`)
    .replaceAll(/\$(?:LIB\b|\{LIB\})/g, `lib/${triplet}`);
  if (!expanded.startsWith('/') || expanded.includes('$')) return undefined;
  const path = posix.normalize(expanded).replace(/^\/|\/$/g, '');
  if (path === '') return undefined;
  return canonicalLayerPath(path) ?? `usr/${path}`;
}
