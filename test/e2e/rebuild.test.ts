import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { numberPatch, writeLibraryRepository } from '../support/library-repository.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { sharedStore } from '../support/tiny-container.ts';
import { printedEvents } from './support/events.ts';

/** The packages of the root are fetched and unpacked first. */
const FIRST_MS = 600_000;

const store = sharedStore();

requires('archive', 'user namespaces', 'bwrap', 'tar', 'git').describe('a change to a library', () => {
  let cwd: string;

  beforeAll(() => {
    cwd = join(store.path(), '..', 'work');
    mkdirSync(cwd);
    writeFileSync(join(cwd, '.gitignore'), 'out\n');
    git('init', '--quiet', '--initial-branch=main');
    writeLibraryRepository(cwd);
    commit();
  });

  const git = (...argv: string[]) => {
    const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', [...identity, ...argv], { cwd, encoding: 'utf8' });
  };
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message=next');
  };
  const buildit = (...argv: string[]) =>
    runBuildit(argv, { cwd, environment: { HOME: cwd, BUILDIT_STORE: store.path() } });

  /** Runs a verb; tells which packages were built, in order, and which were taken as they were, of those looked at. */
  async function told(...argv: string[]) {
    const { exitCode, stdout, stderr } = await buildit(...argv, '--progress=json');
    expect(exitCode, stderr).toBe(0);
    const events = printedEvents(stderr);
    const names = new Map(
      events.flatMap((event) =>
        event.kind === 'package-started' ? [[event.hash, /'(.+)'/.exec(event.label)![1]!]] : [],
      ),
    );
    const named = (kind: 'package-built' | 'package-found') =>
      events.flatMap((event) => (event.kind === kind ? [names.get(event.hash)!] : []));
    return { built: named('package-built'), found: named('package-found').sort(), stdout };
  }

  const recipe = () => join(cwd, 'recipes/base/number/pkg.yaml');
  const report = () => {
    const layout = JSON.parse(readFileSync(join(cwd, 'reports/out/oci/index.json'), 'utf8'));
    return layout.manifests[0].digest as string;
  };

  test(
    'builds everything first',
    async () => {
      const { built } = await told('build', 'reports', 'notices');
      expect(built.toSorted()).toEqual(['apps/notice', 'apps/report', 'base/number', 'base/other', 'base/sum']);
      commit();
    },
    FIRST_MS,
  );

  test('that is none affects nothing: a comment in its recipe', async () => {
    const before = report();
    appendFileSync(recipe(), '# said better\n');
    const dryRun = await buildit('rebuild', '--affected-by=HEAD..', '--dry-run', '--exit-code');
    expect([dryRun.exitCode, dryRun.stdout]).toEqual([0, '0 packages affected in 0 of 2 containers: 0 to build\n']);
    expect(await told('rebuild', '--affected-by=HEAD..')).toEqual({ built: [], found: [], stdout: '' });
    expect(report()).toBe(before);
    commit();
  });

  test('that is a patch is said first: what it touches, in which containers, and why', async () => {
    mkdirSync(join(cwd, 'recipes/base/number/patches'));
    writeFileSync(join(cwd, 'recipes/base/number/patches/number.patch'), numberPatch('number=42'));
    const table = [
      'reports:',
      '  STATE  PACKAGE          WHY',
      '  build  base/number-1.0  affected itself',
      '  build  base/sum-1.0     is built with base/number',
      '  build  apps/report-1.0  is built with base/sum',
      '  images, because of base/number, base/sum, apps/report',
      '3 packages affected in 1 of 2 containers: 3 to build',
      '',
    ].join('\n');
    for (const cause of ['HEAD..', 'base/number', 'recipes/base/number/patches/number.patch']) {
      const { exitCode, stdout } = await buildit('rebuild', `--affected-by=${cause}`, '--dry-run', '--exit-code');
      expect([cause, exitCode, stdout]).toEqual([cause, 22, table]);
    }
  });

  test('that is a patch rebuilds exactly its dependants, in order, and the images that hold them', async () => {
    const before = report();
    const notices = readFileSync(join(cwd, 'notices/out/oci/index.json'), 'utf8');
    rmSync(join(cwd, 'notices/out'), { recursive: true });
    expect(await told('rebuild', '--affected-by=HEAD..')).toMatchObject({
      built: ['base/number', 'base/sum', 'apps/report'],
      found: ['apps/notice', 'base/other'],
    });
    expect(report()).not.toBe(before);
    // Nothing of the other container was touched: not even its images were made again.
    expect(existsSync(join(cwd, 'notices/out'))).toBe(false);
    await told('build', 'notices');
    expect(readFileSync(join(cwd, 'notices/out/oci/index.json'), 'utf8')).toBe(notices);
    commit();
  });

  test('that gives the same output rebuilds the library alone: its dependants are found by what they were built with', async () => {
    const before = report();
    writeFileSync(recipe(), readFileSync(recipe(), 'utf8').replace('[--plain, --decimal]', '[--decimal, --plain]'));
    const { stdout } = await buildit('rebuild', '--affected-by=HEAD..', '--dry-run');
    expect(stdout).toContain('3 packages affected in 1 of 2 containers: 3 to build\n');
    expect(await told('rebuild', '--affected-by=HEAD..')).toMatchObject({
      built: ['base/number'],
      found: ['apps/notice', 'apps/report', 'base/other', 'base/sum'],
    });
    expect(report()).toBe(before);
    commit();
  });

  test('is built again where everything is there, when somebody insists', async () => {
    expect(await told('rebuild', '--affected-by=base/sum')).toMatchObject({ built: [] });
    expect(await told('rebuild', '--affected-by=base/sum', '--force')).toMatchObject({
      built: ['base/sum', 'apps/report'],
      found: ['apps/notice', 'base/number', 'base/other'],
    });
  });

  test('may be one of Debian, of the whole repository, or of a container alone', async () => {
    const affected = async (cause: string) => {
      const { stdout } = await buildit('rebuild', `--affected-by=${cause}`, '--dry-run');
      return stdout.trimEnd().split('\n').at(-1);
    };
    expect(await affected('debian/bash')).toBe('5 packages affected in 2 of 2 containers: 0 to build');
    expect(await affected('recipes/buildit.lock')).toBe('5 packages affected in 2 of 2 containers: 0 to build');
    expect(await affected('notices/files/motd')).toBe('0 packages affected in 1 of 2 containers: 0 to build');
    expect(await affected('apps/starter')).toBe('0 packages affected in 0 of 2 containers: 0 to build');
  });

  test('is told as one document', async () => {
    const { stdout } = await buildit('rebuild', '--affected-by=base/sum', '--json', 'reports');
    expect(JSON.parse(stdout)).toMatchObject({
      containers: [
        {
          title: 'reports-1.0.0',
          affected: [
            { name: 'base/sum', because: { kind: 'itself' }, state: 'found' },
            { name: 'apps/report', because: { kind: 'built-with', name: 'base/sum' }, state: 'found' },
          ],
          image: ['base/sum', 'apps/report'],
          packagesBuilt: 0,
          images: [{ kind: 'oci' }],
        },
      ],
    });
  });

  test.each([
    ['base/numbr', 'did you mean "base/number"?'],
    ['openssl', 'packages have a category'],
  ])('of something unknown is refused: %s', async (cause, hint) => {
    const { exitCode, stderr } = await buildit('rebuild', `--affected-by=${cause}`, 'reports');
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(hint)]);
  });
});
