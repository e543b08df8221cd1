import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandInTree } from '../../src/build/sandbox-program.ts';
import { SHIPPED_KEYRING } from '../../src/debian/archive-keys.ts';
import type { ArchiveSession } from '../../src/debian/archive-session.ts';
import { convertDeb } from '../../src/debian/convert-deb.ts';
import { createTarballFinder } from '../../src/debian/create-tarball-finder.ts';
import { fetchDebs } from '../../src/debian/fetch-debs.ts';
import { type DebianArchive, openArchive } from '../../src/debian/open-archive.ts';
import { unpackFlock } from '../../src/debian/unpack-tools.ts';
import { decompress } from '../../src/layer/decompress.ts';
import { readListing } from '../../src/layer/listing.ts';
import { once } from '../../src/layer/tar-member.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { openStore } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { downloadBytes } from '../../src/system/http.ts';
import { collect } from '../layer/raw-tar.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const WHOLE_ARCHIVE_MS = 180_000;

requires('archive').describe('the Debian archive', () => {
  const directory = mkdtempSync(join(tmpdir(), 'buildit-test-archive-'));
  let session: ArchiveSession;
  let archive: DebianArchive;

  beforeAll(async () => {
    session = {
      store: await openStore(join(directory, 'store')),
      config: { debian: { mirror: undefined }, offline: false },
      context: { signal: new AbortController().signal, emit: () => {} },
    };
    archive = await openArchive({ ...session, suites: ['bookworm'], components: ['main'], architecture: 'amd64' });
  }, WHOLE_ARCHIVE_MS);

  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('resolves a build root: essential packages and a compiler, with a merged /usr', () => {
    const set = archive.resolve({ wants: [{ name: 'build-essential' }], essential: true });
    const names = Object.keys(set);
    expect(names).toEqual(
      expect.arrayContaining(['bash', 'coreutils', 'g++', 'gcc', 'libc6-dev', 'make', 'mawk', 'perl', 'usr-is-merged']),
    );
    expect(names).not.toContain('usrmerge');
    expect(names.length).toBeGreaterThan(100);
    expect(names.length).toBeLessThan(140);
    for (const { depends } of Object.values(set)) {
      expect(depends.filter((name) => !Object.hasOwn(set, name))).toEqual([]);
    }
  });

  test('resolves a second time out of the store, to the same', async () => {
    const offline = { ...session, config: { ...session.config, offline: true } };
    const again = await openArchive({ ...offline, suites: ['bookworm'], components: ['main'], architecture: 'amd64' });
    const request = { wants: [{ name: 'nginx' }] };
    expect(again.resolve(request)).toEqual(archive.resolve(request));
  });

  test('holds updates that only security suites have, and the newest version counts', async () => {
    const both = await openArchive({
      ...session,
      suites: ['bookworm', 'bookworm-security'],
      components: ['main'],
      architecture: 'amd64',
    });
    expect(both.suites.map(({ suite }) => suite)).toEqual(['bookworm', 'bookworm-security']);
    const pins = Object.values(both.resolve({ wants: [{ name: 'libc6' }, { name: 'firefox-esr' }] }));
    expect(new Set(pins.map((pin) => pin.archive))).toEqual(new Set(['debian', 'debian-security']));
  });

  requires('gpgv').test('is signed by the shipped keys for gpgv too', async () => {
    const url = `${archive.suites[0]!.root}/dists/bookworm/InRelease`;
    const path = join(directory, 'InRelease');
    writeFileSync(path, await downloadBytes(url, { allowHttp: true, maximumBytes: 1 << 20 }));
    const { status, stderr } = spawnSync('gpgv', ['--keyring', SHIPPED_KEYRING, path], { encoding: 'utf8' });
    expect(`${status} ${stderr}`).toContain('Good signature');
  });

  requires('dpkg-deb').test('gives the files that dpkg-deb unpacks', async () => {
    const pins = Object.values(archive.resolve({ wants: [{ name: 'zlib1g' }, { name: 'less' }] })).filter(({ name }) =>
      ['less', 'libcrypt1', 'libtinfo6', 'zlib1g'].includes(name),
    );
    await fetchDebs(session.store, pins, session);
    for (const pin of pins) {
      const { layer } = await convertDeb(session.store, pin);
      const listing = await readListing(session.store, layer.listing);
      const unpacked = temporaryDirectory();
      spawnSync('dpkg-deb', ['-x', blobPath(session.store, pin.sha256), unpacked]);
      const ours = listing.filter(({ type, path }) => type !== 'directory' && !path.startsWith('var/lib/dpkg/'));
      expect(ours.map(fileLine)).toEqual(linesOf(unpacked));
      expect(listing.some(({ path }) => path === `var/lib/dpkg/status.d/${pin.name}`)).toBe(true);
      expect(ours.some(({ path }) => path.endsWith(`/doc/${pin.name}/copyright`))).toBe(true);
    }
  });

  test('gives a flock to machines without one, fetched once and checked each time', async () => {
    const pins = archive.resolve({ wants: [{ name: 'util-linux' }] });
    const tools = join(temporaryDirectory(), 'tools');
    const tree = await unpackFlock(tools, pins, session);
    const offline = { ...session, config: { ...session.config, offline: true } };
    expect(await unpackFlock(tools, pins, offline)).toBe(tree);
    const [loader, ...command] = commandInTree(tree, 'usr/bin/flock', { os: 'linux', architecture: 'amd64' });
    const run = spawnSync(loader!, [...command, '--exclusive', join(tools, 'lock'), '/bin/echo', 'locked'], {
      env: {},
    });
    expect(run.stdout.toString()).toBe('locked\n');
    writeFileSync(join(tree, 'usr/bin/flock'), 'damaged');
    await expect(unpackFlock(tools, pins, offline)).rejects.toMatchObject({ code: 'offline' });
  });

  test(
    'has upstream tarballs of its source packages',
    async () => {
      const hello = '31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b';
      const found = await createTarballFinder(session)({ sourcePackage: 'hello', sha256: hello });
      expect(found?.urls[0]).toMatch(/\/pool\/main\/h\/hello\/hello_2\.10\.orig\.tar\.gz$/);
      const bytes = await downloadBytes(found!.urls[0]!, { allowHttp: true, maximumBytes: found!.size });
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(hello);
    },
    WHOLE_ARCHIVE_MS,
  );

  describe('resolved by apt', () => {
    /**
     * The differences from `apt-get install --no-install-recommends` on an empty system, all intended:
     *
     * | where                             | apt          | here            | why                                          |
     * | --------------------------------- | ------------ | --------------- | -------------------------------------------- |
     * | a need of usrmerge or             | the first,   | the second      | usrmerge only carries a script that moves    |
     * | usr-is-merged                     | usrmerge     | (`PREFERRED`)   | files of a running system; trees here are    |
     * |                                   |              |                 | merged, which is what usr-is-merged says     |
     *
     * Told to take usr-is-merged too where it is needed, apt chooses the same packages.
     */
    async function differences(count: number, seed: number): Promise<string[]> {
      const apt = await prepareApt(archive.suites[0]!.root);
      const waiting = seededNames([...archive.universe.names()].sort(), count, seed);
      const different: string[] = [];
      const work = async () => {
        for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
          const ours = resolvedNames(name);
          const theirs = await apt(name, ours.includes('usr-is-merged') ? ['usr-is-merged'] : []);
          if (ours.join(' ') !== theirs.join(' ')) different.push(`${name}: ${ours.join(' ')} / ${theirs.join(' ')}`);
        }
      };
      await Promise.all([work(), work()]);
      return different;
    }

    function resolvedNames(name: string): string[] {
      try {
        return Object.keys(archive.resolve({ wants: [{ name }] })).sort();
      } catch (error) {
        if (error instanceof BuilditError && error.code === 'dependency-unsatisfied') return ['unsatisfied'];
        throw error;
      }
    }

    /** apt with the same index and nothing installed. */
    async function prepareApt(root: string): Promise<(name: string, more: readonly string[]) => Promise<string[]>> {
      const home = temporaryDirectory();
      for (const part of ['etc', 'state', 'lists/partial', 'cache/archives/partial'])
        mkdirSync(join(home, part), { recursive: true });
      const url = `${root}/dists/bookworm/main/binary-amd64/Packages.xz`;
      const compressed = await downloadBytes(url, { allowHttp: true, maximumBytes: 64 << 20 });
      const index = join(home, 'lists/archive.test_debian_dists_bookworm_main_binary-amd64_Packages');
      writeFileSync(index, await collect(decompress(once(compressed), 'xz')));
      writeFileSync(join(home, 'etc/sources.list'), 'deb [trusted=yes] http://archive.test/debian bookworm main\n');
      const settings = {
        'Dir::Etc': `${home}/etc`,
        'Dir::Etc::sourceparts': '/dev/null',
        'Dir::Etc::parts': '/dev/null',
        'Dir::Etc::preferencesparts': '/dev/null',
        'Dir::State': `${home}/state`,
        'Dir::State::lists': `${home}/lists`,
        'Dir::State::status': '/dev/null',
        'Dir::Cache': `${home}/cache`,
        'APT::Architecture': 'amd64',
        'Debug::NoLocking': '1',
      };
      const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`);
      writeFileSync(join(home, 'apt.conf'), `${lines.join('')}APT::Architectures { "amd64"; };\n`);
      const environment = { PATH: process.env.PATH, LC_ALL: 'C', APT_CONFIG: join(home, 'apt.conf') };
      const run = (names: readonly string[]) =>
        new Promise<string[]>((resolve) => {
          const command = ['-s', 'install', '--no-install-recommends', ...names];
          execFile('apt-get', command, { env: environment, maxBuffer: 64 << 20 }, (error, stdout) => {
            const lines = stdout.split('\n').filter((line) => line.startsWith('Inst '));
            resolve(error === null ? lines.map((line) => line.split(' ')[1]!).sort() : ['unsatisfied']);
          });
        });
      // Builds apt's own cache once.
      await run(['base-files']);
      return (name, more) => run([name, ...more]);
    }

    requires('apt-get').test(
      'gives the same packages, for a few chosen by a seed',
      async () => expect(await differences(4, 2026)).toEqual([]),
      WHOLE_ARCHIVE_MS,
    );

    requires('apt-get', 'long tests').test(
      'gives the same packages, for 300 chosen by a seed',
      async () => expect(await differences(300, 1)).toEqual([]),
      1_200_000,
    );
  });
});

/** A linear congruential generator: the same names for the same seed, on every machine. */
function seededNames(names: readonly string[], count: number, seed: number): string[] {
  let state = seed;
  const chosen = new Set<string>();
  while (chosen.size < count) {
    state = (state * 1103515245 + 12345) % 2147483648;
    chosen.add(names[Math.floor((state / 2147483648) * names.length)]!);
  }
  return [...chosen];
}

function fileLine(entry: Awaited<ReturnType<typeof readListing>>[number]): string {
  const content = entry.type === 'file' ? entry.sha256 : entry.type === 'directory' ? '' : entry.target;
  const mode = entry.type === 'symlink' ? '' : ` ${entry.mode.toString(8)}`;
  return `${entry.path} ${entry.type}${mode} ${entry.mtime} ${content}`;
}

/** What is on disk, in the words and the order of a listing, at the paths of a merged tree. */
function linesOf(root: string): string[] {
  const lines = new Map<string, string>();
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(root, path));
    if (stat.isDirectory()) continue;
    const place = path.replace(/^(?=(bin|sbin|lib|lib64)\/)/, 'usr/');
    const mtime = Math.floor(stat.mtimeMs / 1000);
    const line = stat.isSymbolicLink()
      ? `symlink ${mtime} ${readlinkSync(join(root, path))}`
      : `file ${(stat.mode & 0o7777).toString(8)} ${mtime} ${createHash('sha256')
          .update(readFileSync(join(root, path)))
          .digest('hex')}`;
    lines.set(place, `${place} ${line}`);
  }
  return [...lines].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([, line]) => line);
}
