import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createTarballFinder } from '../../src/debian/create-tarball-finder.ts';
import { fetchIndex } from '../../src/debian/fetch-index.ts';
import { fetchRelease } from '../../src/debian/fetch-release.ts';
import { SOURCE_INDEX } from '../../src/debian/source-index.ts';
import type { SourcePackage } from '../../src/debian/source-package.ts';
import { applyPatches } from '../../src/fetch/apply-patch.ts';
import { fetchSources } from '../../src/fetch/fetch-sources.ts';
import type { Digest } from '../../src/model/digest.ts';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { linkBlob } from '../../src/store/link-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Files of Debian's nginx in bookworm, whichever revision is there now. */
async function nginxFiles(session: Parameters<typeof fetchRelease>[2]): Promise<SourcePackage['files']> {
  const suite = await fetchRelease('bookworm', Date.now(), session);
  const index = await fetchIndex(suite, 'main/source/Sources', SOURCE_INDEX, session);
  return index.named('nginx').flatMap(({ files }) => files);
}

requires('archive', 'patch', 'tar', 'xz').test(
  "Debian's patches of nginx give the same tree as GNU patch with fuzz 0",
  async () => {
    const directory = temporaryDirectory();
    const store = await openStore(join(directory, 'store'));
    const context = { signal: new AbortController().signal, emit: () => {} };
    const config = { debian: { mirror: undefined }, offline: false };
    const session = { store, context, config };
    const files = await nginxFiles(session);
    const bring = async (suffix: string): Promise<string> => {
      const { sha256 } = files.find(({ path }) => path.endsWith(suffix))!;
      const location = { kind: 'remote', urls: [], mirrors: [{ kind: 'debian', sourcePackage: 'nginx' }] } as const;
      await fetchSources([{ location, sha256, fileName: suffix, action: 'keep', strip: 1, directory: '.' }], {
        store,
        context,
        config,
        findDebianTarball: (sourcePackage: string, digest: Digest) =>
          createTarballFinder({ ...session, suites: ['bookworm'] })({ sourcePackage, sha256: digest }),
      });
      const path = join(directory, `nginx${suffix}`);
      await linkBlob(store, sha256, path);
      return path;
    };
    const original = await bring('.orig.tar.gz');
    execFileSync('tar', ['-xJf', await bring('.debian.tar.xz'), '-C', directory]);
    for (const tree of ['ours', 'gnu']) {
      mkdirSync(join(directory, tree));
      execFileSync('tar', ['-xzf', original, '-C', join(directory, tree), '--strip-components=1', '--no-same-owner']);
    }
    const series = readFileSync(join(directory, 'debian/patches/series'), 'utf8').match(/^[^#\s]+/gm) ?? [];
    expect(series.length).toBeGreaterThan(10);
    for (const name of series) {
      const path = join(directory, 'debian/patches', name);
      const text = normalisePatch(readFileSync(path, 'latin1'), 1, name);
      await applyPatches(join(directory, 'ours'), [{ label: name, text }]);
      const gnu = ['-p1', '-F0', '--silent', '--no-backup-if-mismatch', '-i', path];
      execFileSync('patch', gnu, { cwd: join(directory, 'gnu') });
      // What is applied is a patch for every other program too.
      writeFileSync(path, text, 'latin1');
      execFileSync('patch', ['-p0', '-F0', '--silent', '--dry-run', '--reverse', '-i', path], {
        cwd: join(directory, 'gnu'),
      });
    }
    execFileSync('diff', ['-r', join(directory, 'ours'), join(directory, 'gnu')]);
  },
  60_000,
);
