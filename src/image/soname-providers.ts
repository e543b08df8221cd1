import type { ElfFacts } from '../model/layer.ts';
import { candidateName, type ImageCandidate } from './image-member.ts';

export type NeededLibrary = ElfFacts['needed'][number];

interface ProvidedLibrary {
  readonly candidate: ImageCandidate;
  readonly elf: ElfFacts;
}

/** Which candidates have a library, by soname. Where several do, packages built from recipes come first, then by name. */
export type SonameProviders = ReadonlyMap<string, readonly ProvidedLibrary[]>;

export function indexSonames(candidates: readonly ImageCandidate[]): SonameProviders {
  const providers = new Map<string, ProvidedLibrary[]>();
  for (const candidate of [...candidates].sort(byPreference)) {
    for (const elf of candidateElf(candidate)) {
      const soname = libraryName(elf);
      if (soname === undefined) continue;
      const known = providers.get(soname);
      if (known === undefined) providers.set(soname, [{ candidate, elf }]);
      else known.push({ candidate, elf });
    }
  }
  return providers;
}

export type Provision =
  | { readonly kind: 'own' }
  | { readonly kind: 'candidate'; readonly candidate: ImageCandidate }
  /** `older` has the library without these symbol versions. */
  | { readonly kind: 'missing'; readonly older: ImageCandidate | undefined; readonly versions: readonly string[] };

/**
 * Who provides a library to an ELF file: its own package, else the first candidate whose library lies where the loader
 * looks for that file, else any that has it (a program's run path counts for the libraries it loads).
 */
export function findProvider(
  providers: SonameProviders,
  user: ImageCandidate,
  elf: ElfFacts,
  { soname, versions }: NeededLibrary,
  isLeftOut: (candidate: ImageCandidate) => boolean,
): Provision {
  const all = (providers.get(soname) ?? []).filter((provided) => provided.elf.machine === elf.machine);
  if (all.some(({ candidate }) => candidate.hash === user.hash)) return { kind: 'own' };
  const usable = all.filter(({ candidate }) => !isLeftOut(candidate));
  const fitting = usable.filter((provided) => definesAll(provided.elf, versions));
  const chosen = fitting.find((provided) => isSearched(directoryOf(provided.elf.path), elf)) ?? fitting[0];
  if (chosen !== undefined) return { kind: 'candidate', candidate: chosen.candidate };
  const older = usable[0];
  return {
    kind: 'missing',
    older: older?.candidate,
    versions: older === undefined ? [] : versions.filter((version) => !older.elf.defines.includes(version)),
  };
}

/** ELF files that other packages may link to: those with a soname in a directory the loader always searches. */
export function publicLibraries(candidate: ImageCandidate): ElfFacts[] {
  return candidateElf(candidate).filter(
    ({ soname, path }) => soname !== undefined && isDefaultDirectory(directoryOf(path)),
  );
}

export function candidateElf(candidate: ImageCandidate): readonly ElfFacts[] {
  return candidate.record.outputs.main?.elf ?? [];
}

/** Where Debian's loader looks by itself, and where its /etc/ld.so.conf.d points. */
export function isDefaultDirectory(directory: string): boolean {
  return /^usr\/(local\/)?lib(64)?(\/[a-z0-9_]+-linux-gnu[a-z0-9]*)?$/.test(directory);
}

/** A library without a soname is needed by its file name. */
function libraryName({ soname, path }: ElfFacts): string | undefined {
  if (soname !== undefined) return soname;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.includes('.so') ? name : undefined;
}

/** A library without versions serves every need, as the loader sees it. */
function definesAll({ defines }: ElfFacts, versions: readonly string[]): boolean {
  return defines.length === 0 || versions.every((version) => defines.includes(version));
}

function isSearched(directory: string, { path, runPaths }: ElfFacts): boolean {
  return isDefaultDirectory(directory) || runPaths.some((runPath) => expandRunPath(runPath, path) === directory);
}

function expandRunPath(runPath: string, path: string): string {
  const origin = `/${directoryOf(path)}`;
  const elements: string[] = [];
  for (const element of runPath.replace(/\$\{?ORIGIN\}?/, origin).split('/')) {
    if (element === '..') elements.pop();
    else if (element !== '' && element !== '.') elements.push(element);
  }
  const expanded = elements.join('/');
  return /^lib(64)?(\/|$)/.test(expanded) ? `usr/${expanded}` : expanded;
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function byPreference(a: ImageCandidate, b: ImageCandidate): number {
  if (a.kind !== b.kind) return a.kind === 'build' ? -1 : 1;
  return candidateName(a) < candidateName(b) ? -1 : 1;
}
