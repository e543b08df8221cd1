import type { Digest } from '../model/digest.ts';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { isDebianPackageName, isSuiteName, printable } from '../model/names.ts';
import { archivePlaces } from './archive-places.ts';
import type { ArchiveSession } from './archive-session.ts';
import type { VerifiedSuite } from './fetch-release.ts';
import type { SourcePackage } from './source-package.ts';
import { openSourceSuites } from './source-suites.ts';

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

export type FindSourceTarball = (wanted: {
  readonly sourcePackage: string;
  readonly sha256: Digest;
}) => Promise<SourceTarball | undefined>;

/**
 * Finds files of Debian source packages, mostly upstream's original tarballs, by their digests: each in the first suite
 * whose signed index has it. Undefined where none has. Suites that cannot be looked through are passed over; they are
 * told where nothing was found. What was read of a suite serves all later questions.
 *
 * A file that the index names can still be missing from the pool; then the next URL is to be tried.
 */
export function createTarballFinder(options: FindSourceOptions): FindSourceTarball {
  const { suites = SUITES, components: names = ['main'], ...session } = options;
  // Expiry counts when something is chosen, not for what is asked for by its digest: 1970 comes before every expiry.
  const suiteOf = openSourceSuites(names, { ...session, now: () => 0 });
  return async ({ sourcePackage, sha256 }) => {
    if (!isDebianPackageName(sourcePackage)) {
      throw new BuilditError(
        'input-invalid',
        `Cannot look for "${printable(sourcePackage)}": not the name of a package`,
      );
    }
    const closed: string[] = [];
    for (const suite of suites.filter(isSuiteName)) {
      try {
        const { verified, components } = await suiteOf(suite);
        const packages = components.flatMap((index) => index.named(sourcePackage));
        const file = packages.flatMap(({ files }) => files).find((one) => one.sha256 === sha256);
        if (file !== undefined) return { ...addressesOf(file, verified, session), suite };
      } catch (error) {
        if (!(error instanceof BuilditError) || !PASSED_OVER.has(error.code)) throw error;
        closed.push(error.message);
      }
    }
    for (const text of closed) session.context.emit({ kind: 'notice', text });
    return undefined;
  };
}

/** What is found is checked by its digest, so a doubtful index is no more than one place less to look. */
const PASSED_OVER: ReadonlySet<ErrorCode> = new Set([
  'unreachable',
  'offline',
  'signature-invalid',
  'input-invalid',
  'checksum-mismatch',
]);

function addressesOf(
  { path, size }: SourcePackage['files'][number],
  { suite, place, release }: VerifiedSuite,
  { config, surroundings }: ArchiveSession,
): Omit<SourceTarball, 'suite'> {
  const others = archivePlaces(suite, config, release.dateMs, surroundings);
  const roots = [place.root, ...others.map(({ root }) => root)];
  return { urls: [...new Set(roots)].map((root) => `${root}/${path}`), size };
}
