import type { Digest } from '../model/digest.ts';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { isDebianPackageName, isSuiteName, printable } from '../model/names.ts';
import { archivePlaces } from './archive-places.ts';
import type { ArchiveSession } from './archive-session.ts';
import { fetchIndex } from './fetch-index.ts';
import { fetchRelease } from './fetch-release.ts';
import { SOURCE_PACKAGES } from './source-package.ts';

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
 * signed index has it. Undefined where none has. Suites that cannot be looked through are passed over; they are told
 * where nothing was found.
 *
 * A file that the index names can still be missing from the pool; then the next URL is to be tried.
 */
export async function findSourceTarball(
  wanted: { readonly sourcePackage: string; readonly sha256: Digest },
  options: FindSourceOptions,
): Promise<SourceTarball | undefined> {
  const { suites = SUITES, components = ['main'], ...session } = options;
  const { sourcePackage } = wanted;
  if (!isDebianPackageName(sourcePackage)) {
    throw new BuilditError('input-invalid', `Cannot look for "${printable(sourcePackage)}": not the name of a package`);
  }
  const closed: string[] = [];
  for (const suite of suites.filter(isSuiteName)) {
    try {
      const found = await findInSuite(suite, components, session, wanted);
      if (found !== undefined) return { ...found, suite };
    } catch (error) {
      if (!(error instanceof BuilditError) || !PASSED_OVER.has(error.code)) throw error;
      closed.push(error.message);
    }
  }
  for (const text of closed) session.context.emit({ kind: 'notice', text });
  return undefined;
}

/** What is found is checked by its digest, so a doubtful index is no more than one place less to look. */
const PASSED_OVER: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'offline',
  'signature-invalid',
  'input-invalid',
  'checksum-mismatch',
]);

async function findInSuite(
  suite: string,
  components: readonly string[],
  session: ArchiveSession,
  { sourcePackage, sha256 }: { readonly sourcePackage: string; readonly sha256: Digest },
): Promise<Omit<SourceTarball, 'suite'> | undefined> {
  const now = (session.now ?? Date.now)();
  // Expiry counts when something is chosen, not for what is asked for by its digest: 1970 comes before every expiry.
  const verified = await fetchRelease(suite, now, { ...session, now: () => 0 });
  for (const component of components) {
    const packages = await fetchIndex(verified, `${component}/source/Sources`, SOURCE_PACKAGES, session);
    const files = packages.flatMap((entry) => (entry.name === sourcePackage ? entry.files : []));
    const file = files.find((one) => one.sha256 === sha256);
    if (file === undefined) continue;
    const others = archivePlaces(suite, session.config, verified.release.dateMs, session.surroundings);
    const roots = [verified.place.root, ...others.map(({ root }) => root)];
    return { urls: [...new Set(roots)].map((root) => `${root}/${file.path}`), size: file.size };
  }
  return undefined;
}
