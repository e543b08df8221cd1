import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RevisionChanges } from '../../src/pipeline/compare-revisions.ts';
import { numberPatch, writeContainer, writeLibraryRepository, writeRecipe } from '../support/library-repository.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { test, describe } = requires('git');

/** A git repository with recipes and containers, all committed. */
function committed() {
  const cwd = temporaryDirectory();
  const git = (...argv: string[]) =>
    execFileSync(
      'git',
      ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false', ...argv],
      {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  git('init', '--quiet', '--initial-branch=main');
  writeLibraryRepository(cwd);
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--message=next');
  };
  commit();
  const environment = { HOME: cwd, BUILDIT_STORE: join(temporaryDirectory(), 'store') };
  const run = (...argv: string[]) => runBuildit(argv, { cwd, environment });
  return {
    cwd,
    git,
    commit,
    run,
    environment,
    async changes(range: string, ...directories: string[]) {
      const { exitCode, stdout, stderr } = await run('plan', '--json', `--changed=${range}`, ...directories);
      expect([exitCode, stderr]).toEqual([0, '']);
      return (JSON.parse(stdout) as RevisionChanges).directories.map(({ packages, unchanged, image }) => ({
        packages: packages.map(({ kind, name, inputs, becauseOf }) => [kind, name, ...inputs, ...becauseOf]),
        unchanged,
        image,
      }));
    },
  };
}

const recipe = (cwd: string, name: string) => join(cwd, 'recipes', name, 'pkg.yaml');

function patchNumber(cwd: string, line = 'number=42'): void {
  mkdirSync(join(cwd, 'recipes/base/number/patches'), { recursive: true });
  writeFileSync(join(cwd, 'recipes/base/number/patches/number.patch'), numberPatch(line));
}

describe('plan --changed', () => {
  test('names what a patch changes: the library itself, then what is built with it, because of it', async () => {
    const { cwd, commit, changes } = committed();
    patchNumber(cwd);
    commit();
    expect(await changes('HEAD~1..HEAD', 'recipes', 'reports', 'notices')).toEqual([
      {
        packages: [
          ['own', 'base/number', 'patches'],
          ['dependency', 'base/sum', 'base/number'],
          ['dependency', 'apps/report', 'base/number'],
        ],
        unchanged: 3,
        image: [],
      },
      {
        packages: [
          ['own', 'base/number', 'patches'],
          ['dependency', 'base/sum', 'base/number'],
          ['dependency', 'apps/report', 'base/number'],
        ],
        unchanged: 2,
        image: ['base/number', 'base/sum', 'apps/report'],
      },
      { packages: [], unchanged: 2, image: [] },
    ]);
  });

  test('lists nothing for a comment, a description and another order of keys', async () => {
    const { cwd, changes } = committed();
    appendFileSync(recipe(cwd, 'base/number'), '# said better\ndescription: a number\n');
    const text = readFileSync(recipe(cwd, 'base/sum'), 'utf8');
    writeFileSync(recipe(cwd, 'base/sum'), text.replace('license: MIT\nclass: none', 'class: none\nlicense: MIT'));
    expect(await changes('HEAD..', 'recipes', 'reports')).toEqual([
      { packages: [], unchanged: 6, image: [] },
      { packages: [], unchanged: 5, image: [] },
    ]);
  });

  test('says what each of two changes is about, and traces dependants to both', async () => {
    const { cwd, changes } = committed();
    patchNumber(cwd);
    const text = readFileSync(recipe(cwd, 'base/sum'), 'utf8');
    writeFileSync(recipe(cwd, 'base/sum'), text.replace('+ 1', '+ 2'));
    const [{ packages } = { packages: [] }] = await changes('HEAD..', 'recipes');
    expect(packages).toEqual([
      ['own', 'base/number', 'patches'],
      ['own', 'base/sum', 'phases.install', 'base/number'],
      ['dependency', 'apps/report', 'base/number', 'base/sum'],
    ]);
  });

  test('tells a dependency that is declared from one that was inherited', async () => {
    const { cwd, changes } = committed();
    const text = readFileSync(recipe(cwd, 'base/sum'), 'utf8');
    writeFileSync(recipe(cwd, 'base/sum'), text.replace('[base/number]', '[base/number, base/other]'));
    const [{ packages } = { packages: [] }] = await changes('HEAD..', 'recipes');
    expect(packages).toEqual([
      ['own', 'base/sum', 'dependencies'],
      ['dependency', 'apps/report', 'base/sum'],
    ]);
  });

  test('knows packages that are new and gone, a version that was added, and a container that is new', async () => {
    const { cwd, changes } = committed();
    writeRecipe(cwd, 'apps/fresh', ['phases: { install: "true" }']);
    rmSync(join(cwd, 'recipes/apps/starter'), { recursive: true });
    const many = 'versions: { "1.0": {}, "1.1": {} }';
    writeFileSync(
      recipe(cwd, 'base/other'),
      readFileSync(recipe(cwd, 'base/other'), 'utf8').replace('version: 1.0', many),
    );
    writeContainer(cwd, 'fresh', ['apps/fresh']);
    const [recipes, fresh] = await changes('HEAD..', 'recipes', 'fresh');
    expect(recipes!.packages).toEqual([
      ['added', 'apps/fresh'],
      ['added', 'base/other'],
      ['dependency', 'apps/notice', 'base/other'],
      ['removed', 'apps/starter'],
    ]);
    expect(fresh).toMatchObject({ packages: [['added', 'apps/fresh']], unchanged: 0 });
  });

  test('says of an image which file of the container changed', async () => {
    const { cwd, changes } = committed();
    writeFileSync(join(cwd, 'reports/files/motd'), 'another\n');
    expect(await changes('HEAD..', 'reports', 'notices')).toEqual([
      { packages: [], unchanged: 5, image: ['sync /usr/share/motd'] },
      { packages: [], unchanged: 2, image: [] },
    ]);
  });

  test('reads a revision as it was committed, whatever the work tree holds by now, and leaves nothing behind', async () => {
    const { cwd, commit, changes, environment, git } = committed();
    patchNumber(cwd);
    commit();
    writeFileSync(recipe(cwd, 'base/number'), 'this is no recipe\n');
    const [{ packages } = { packages: [] }] = await changes('main~1..main', 'recipes');
    expect(packages.map(([, name]) => name)).toEqual(['base/number', 'base/sum', 'apps/report']);
    expect(git('status', '--short')).toBe(' M recipes/base/number/pkg.yaml\n');
    const temporary = join(environment.BUILDIT_STORE, 'temporary');
    expect(readdirSync(temporary).flatMap((slot) => readdirSync(join(temporary, slot)))).toEqual([]);
  });

  test('runs nothing that the repository asks for', async () => {
    const { cwd, commit, changes, git } = committed();
    const trap = join(cwd, 'trapped');
    const program = join(cwd, '.git/trap.sh');
    writeFileSync(program, `#!/bin/sh\ntouch ${trap}\ncat\n`, { mode: 0o755 });
    writeFileSync(join(cwd, '.gitattributes'), '* filter=trap diff=trap\n');
    for (const name of ['post-checkout', 'post-index-change', 'reference-transaction', 'fsmonitor-watchman']) {
      writeFileSync(join(cwd, '.git/hooks', name), `#!/bin/sh\ntouch ${trap}\n`, { mode: 0o755 });
    }
    patchNumber(cwd);
    commit();
    git('config', 'filter.trap.smudge', program);
    git('config', 'filter.trap.clean', program);
    git('config', 'diff.trap.textconv', program);
    git('config', 'core.fsmonitor', program);
    git('config', 'core.pager', program);
    git('config', 'core.sshCommand', program);
    rmSync(trap, { force: true });
    expect((await changes('HEAD~1..HEAD', 'recipes'))[0]!.packages.length).toBe(3);
    expect(existsSync(trap)).toBe(false);
  });

  test('ends with 22 when it is asked whether something changes', async () => {
    const { cwd, run } = committed();
    expect((await run('plan', '--exit-code', '--changed=HEAD..', 'recipes')).exitCode).toBe(0);
    patchNumber(cwd);
    const { exitCode, stdout } = await run('plan', '--exit-code', '--changed=HEAD..', 'reports');
    expect(exitCode).toBe(22);
    expect(stdout.split('\n')).toEqual([
      'CHANGE      PACKAGE          WHY',
      'own         base/number-1.0  patches',
      'dependency  base/sum-1.0     because of base/number',
      'dependency  apps/report-1.0  because of base/number',
      '3 of 5 packages change: 1 by itself, 2 because of others',
      'the images of reports-1.0.0 change: base/number, base/sum, apps/report',
      '',
    ]);
  });

  test.each([
    ['HEAD', 64, 'expected a range of git revisions'],
    ['main...HEAD', 64, 'expected a range of git revisions'],
    ['--output=/tmp/x..HEAD', 64, 'expected a range of git revisions'],
    ['nowhere..HEAD', 65, 'Cannot read the revision "nowhere"'],
  ])('refuses the range %s', async (range, code, message) => {
    const { run } = committed();
    const { exitCode, stderr } = await run('plan', `--changed=${range}`, 'recipes');
    expect(exitCode).toBe(code);
    expect(stderr).toContain(message);
  });

  test('says of which revision a mistake is', async () => {
    const { cwd, commit, run } = committed();
    writeFileSync(recipe(cwd, 'base/number'), 'nonsense: 1\n');
    commit();
    const { exitCode, stderr } = await run('plan', '--changed=HEAD~1..HEAD', 'recipes');
    expect(exitCode).toBe(65);
    expect(stderr).toMatch(/unknown key "nonsense"[\s\S]*\n {2}in HEAD\n/);
  });

  test('is refused outside of a git repository', async () => {
    const cwd = temporaryDirectory();
    writeLibraryRepository(cwd);
    const { exitCode, stderr } = await runBuildit(['plan', '--changed=HEAD..', 'recipes'], { cwd });
    expect([exitCode, stderr]).toEqual([65, expect.stringContaining('expected a directory in a git repository')]);
  });
});

test('a repository is planned with every recipe at every version', async () => {
  const { run } = committed();
  const { exitCode, stdout } = await run('plan', 'recipes');
  expect(exitCode).toBe(0);
  expect(stdout.match(/^build .*$/gm)!.length).toBe(6);
  expect(stdout).toContain('6 to build, 0 found\n');
});
