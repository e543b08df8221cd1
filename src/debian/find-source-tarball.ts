import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isDebianPackageName, isSuiteName } from '../model/names.ts';
import { archivePlaces } from './archive-places.ts';
import type { ArchiveSession } from './archive-session.ts';
import { fetchIndex, type IndexReader } from './fetch-index.ts';
import { fetchRelease } from './fetch-release.ts';
import { parseSources, type SourceFile } from './parse-sources.ts';

export interface SourceTarball {
  /** In the order to try them; plain http is allowed, since the digest is known. */
  readonly urls: readonly string[];
  readonly size: number;
  readonly suite: string;
}

export interface FindSourceOptions extends ArchiveSession {
  /** In the order to look; all that Debian maintains by default. */
  readonly suites?: readonly string[];
  readonly components?: readonly string[];
}

const SUITES = [
  'bookworm',
  'trixie',
  'bookworm-updates',
  'trixie-updates',
  'bookworm-security',
  'trixie-security',
  'sid',
];

/**
 * Finds a file of a Debian source package, mostly upstream's original tarball, by its digest: in the first suite whose
 * signed index has it. Undefined where none has. A suite that no place has is passed over with a notice.
 *
 * A file that the index names can still be missing from the pool; then the next URL is to be tried.
 */
export async function findSourceTarball(
  { sourcePackage, sha256 }: { readonly sourcePackage: string; readonly sha256: Digest },
  options: FindSourceOptions,
): Promise<SourceTarball | undefined> {
  const { suites = SUITES, components = ['main'], ...session } = options;
  if (!isDebianPackageName(sourcePackage)) {
    throw new BuilditError(
      'input-invalid',
      `Cannot look for "${sourcePackage}": expected the name of a source package`,
    );
  }
  for (const suite of suites.filter(isSuiteName)) {
    const found = await findInSuite(suite, components, session, (file) => {
      return file.sourcePackage === sourcePackage && file.sha256 === sha256;
    });
    if (found !== undefined) return { ...found, suite };
  }
  return undefined;
}

async function findInSuite(
  suite: string,
  components: readonly string[],
  session: ArchiveSession,
  isWanted: (file: SourceFile) => boolean,
): Promise<Omit<SourceTarball, 'suite'> | undefined> {
  const now = (session.now ?? Date.now)();
  try {
    const verified = await fetchRelease(suite, now, session);
    for (const component of components) {
      const file = (await fetchIndex(verified, `${component}/source/Sources`, SOURCES, session)).find(isWanted);
      if (file === undefined) continue;
      const others = archivePlaces(suite, session.config, verified.release.dateMs, session.surroundings);
      const roots = [verified.place.root, ...others.map(({ root }) => root)];
      return { urls: [...new Set(roots)].map((root) => `${root}/${file.path}`), size: file.size };
    }
  } catch (error) {
    if (!(error instanceof BuilditError) || !['unreachable', 'offline'].includes(error.code)) throw error;
    session.context.emit({
      kind: 'notice',
      text: `The source packages of ${suite} cannot be looked through: ${error.message}`,
    });
  }
  return undefined;
}

/** One line for each file. */
const SOURCES: IndexReader<SourceFile[]> = {
  namespace: 'debian-sources',
  format: 1,
  parse: parseSources,
  toText: (files) =>
    files.map(({ sourcePackage, path, size, sha256 }) => `${sourcePackage}\t${path}\t${size}\t${sha256}\n`).join(''),
  fromText: (text) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [sourcePackage, path, size, sha256] = line.split('\t');
        return { sourcePackage: sourcePackage!, path: path!, size: Number(size), sha256: sha256! };
      }),
};
