import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { openLocalGit } from '../../src/discover/local-git.ts';
import { gitIdentity } from '../../src/system/git-identity.ts';
import { programPath, requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const needs = requires('git');
const { signal } = new AbortController();

interface Checkout {
  readonly directory: string;
  /** A program that leaves its mark here was run. */
  readonly mark: string;
  /** A program that leaves the mark, and its path. */
  readonly trap: string;
  readonly git: (...argv: string[]) => string;
}

/** A check-out of two commits, the older of which lacks the content of a file, as partial clones do. */
function hostileCheckout(): Checkout {
  const root = temporaryDirectory();
  const directory = join(root, 'hostile');
  const [mark, trap] = [join(root, 'mark'), join(root, 'trap')];
  mkdirSync(directory);
  writeFileSync(trap, `#!/bin/sh\necho "$0 $*" >> ${mark}\nexit 1\n`);
  chmodSync(trap, 0o755);
  const git = (...argv: string[]) => {
    const env = { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1' };
    return execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.org', ...argv], { cwd: directory, env })
      .toString()
      .trim();
  };
  git('init', '-q');
  writeFileSync(join(directory, 'file'), 'one\n');
  writeFileSync(join(directory, '.gitattributes'), '* filter=trap diff=trap merge=trap\n');
  git('add', '-A');
  git('commit', '-qm', 'one');
  writeFileSync(join(directory, 'file'), 'two\n');
  git('commit', '-qam', 'two');
  return { directory, mark, trap, git };
}

function loseContent({ directory, git }: Checkout): void {
  const id = git('rev-parse', 'HEAD~1:file');
  rmSync(join(directory, '.git/objects', id.slice(0, 2), id.slice(2)));
  git('config', 'core.repositoryFormatVersion', '1');
  git('config', 'extensions.partialClone', 'origin');
  git('config', 'remote.origin.promisor', 'true');
}

/** A directory for PATH with a git that knows none of the newer switches against fetching on demand. */
function oldGit(): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'git'), `#!/bin/sh\nunset GIT_NO_LAZY_FETCH\nexec ${programPath('git')} "$@"\n`);
  chmodSync(join(directory, 'git'), 0o755);
  return directory;
}

async function readEverything({ directory }: Checkout, PATH: string): Promise<unknown> {
  const git = openLocalGit(directory, { home: join(temporaryDirectory(), 'home'), signal, environment: { PATH } });
  for (const revision of ['HEAD', 'HEAD~1']) {
    const commit = await git.commitOf(revision);
    await git.pathsOf(commit);
    const into = temporaryDirectory();
    const failure = await git.checkOut(commit, ['.'], into).then(
      () => undefined,
      (error) => error,
    );
    if (revision === 'HEAD') expect(readFileSync(join(into, 'file'), 'utf8')).toBe('two\n');
    else return failure;
  }
  return undefined;
}

needs.describe('nothing that a check-out names is run', () => {
  const { test } = needs;

  test.each<[string, (checkout: Checkout) => readonly (readonly [string, string])[]]>([
    ['ext', ({ trap }) => [['remote.origin.url', `ext::${trap} %S`]]],
    [
      'ssh',
      ({ trap }) => [
        ['remote.origin.url', 'ssh://host/x'],
        ['core.sshCommand', trap],
      ],
    ],
    [
      'scp',
      ({ trap }) => [
        ['remote.origin.url', 'host:x'],
        ['core.sshCommand', trap],
      ],
    ],
    [
      'a path',
      ({ trap }) => [
        ['remote.origin.url', '.'],
        ['remote.origin.uploadpack', trap],
      ],
    ],
    [
      'file',
      ({ directory, trap }) => [
        ['remote.origin.url', `file://${directory}`],
        ['remote.origin.uploadpack', trap],
      ],
    ],
    [
      'git',
      ({ trap }) => [
        ['remote.origin.url', 'git://host/x'],
        ['core.gitProxy', trap],
      ],
    ],
    [
      'a helper',
      ({ trap }) => [
        ['remote.origin.vcs', 'ext'],
        ['remote.origin.url', `${trap} %S`],
      ],
    ],
    [
      'https',
      ({ trap }) => [
        ['remote.origin.url', 'https://127.0.0.1:9/x'],
        ['credential.helper', `!${trap}`],
      ],
    ],
    [
      'another address',
      ({ trap }) => [
        ['remote.origin.url', 'https://x/'],
        [`url.ext::${trap} .insteadOf`, 'https://x/'],
      ],
    ],
  ])('by fetching what is missing: %s', async (_, settings) => {
    const checkout = hostileCheckout();
    loseContent(checkout);
    checkout.git('config', 'protocol.allow', 'always');
    for (const name of ['ext', 'file', 'ssh', 'git']) checkout.git('config', `protocol.${name}.allow`, 'always');
    for (const [key, value] of settings(checkout)) checkout.git('config', key, value);
    const failure = await readEverything(checkout, oldGit());
    expect(failure).toMatchObject({ message: expect.stringMatching(/^Cannot (?:use|read) .*found/) });
    expect(existsSync(checkout.mark)).toBe(false);
    // The trap works: git by itself runs it.
    if (['ext', 'ssh', 'a path', 'file', 'git'].includes(_)) {
      const env = { PATH: process.env.PATH, GIT_NO_LAZY_FETCH: '0' };
      expect(() =>
        execFileSync('git', ['cat-file', '-p', 'HEAD~1:file'], { cwd: checkout.directory, env, stdio: 'ignore' }),
      ).toThrow();
      expect(existsSync(checkout.mark)).toBe(true);
    }
  });

  test('by hooks, monitors, filters, pagers, editors, diffs, aliases and included files', async () => {
    const checkout = hostileCheckout();
    const { directory, trap, mark, git } = checkout;
    const hooks = join(directory, 'hooks');
    mkdirSync(hooks);
    for (const name of ['post-checkout', 'reference-transaction', 'post-index-change', 'fsmonitor-watchman']) {
      writeFileSync(join(hooks, name), `#!/bin/sh\n${trap}\n`);
      chmodSync(join(hooks, name), 0o755);
    }
    writeFileSync(join(directory, '.git/more'), `[core]\n\tfsmonitor = ${trap}\n`);
    for (const key of [
      ...['core.fsmonitor', 'core.pager', 'pager.ls-tree', 'pager.rev-parse', 'pager.cat-file', 'pager.config'],
      ...['core.editor', 'core.askPass', 'core.alternateRefsCommand', 'core.sshCommand', 'core.gitProxy'],
      ...['diff.external', 'diff.trap.command', 'diff.trap.textconv', 'merge.trap.driver', 'gpg.program'],
      ...['filter.trap.smudge', 'filter.trap.clean', 'filter.trap.process', 'uploadpack.packObjectsHook'],
      ...['interactive.diffFilter', 'credential.helper', 'sequence.editor', 'gpg.ssh.program'],
    ]) {
      git('config', key, trap);
    }
    for (const verb of ['rev-parse', 'ls-tree', 'cat-file', 'config']) git('config', `alias.${verb}`, `!${trap}`);
    git('config', 'core.hooksPath', hooks);
    git('config', 'include.path', 'more');
    rmSync(mark, { force: true });
    expect(await readEverything(checkout, process.env.PATH!)).toBeUndefined();
    const hostile = { GIT_PAGER: trap, GIT_EXTERNAL_DIFF: trap, GIT_SSH_COMMAND: trap, GIT_DIR: '/nonexistent' };
    const environment = { PATH: process.env.PATH, HOME: temporaryDirectory(), ...hostile };
    git('config', 'user.name', 'A B');
    git('config', 'user.email', 'a@b.org');
    expect(gitIdentity(directory, environment)).toBe('A B <a@b.org>');
    expect(existsSync(mark)).toBe(false);
  });

  test('and no other repository is read than the one that is there', async () => {
    const checkout = hostileCheckout();
    checkout.git('config', 'core.worktree', '/nonexistent');
    expect(await readEverything(checkout, process.env.PATH!)).toBeUndefined();
    const other = hostileCheckout();
    mkdirSync(join(other.directory, 'inner/.git'), { recursive: true });
    const inner = openLocalGit(join(other.directory, 'inner'), { home: join(temporaryDirectory(), 'home'), signal });
    await expect(inner.commitOf('HEAD')).rejects.toMatchObject({ code: 'input-invalid' });
    await expect(inner.commitOf('--all')).rejects.toMatchObject({ code: 'input-invalid' });
  });

  test('and replaced or grafted commits are what they were', async () => {
    const checkout = hostileCheckout();
    const { directory, git } = checkout;
    git('replace', git('rev-parse', 'HEAD'), git('rev-parse', 'HEAD~1'));
    mkdirSync(join(directory, '.git/info'), { recursive: true });
    writeFileSync(join(directory, '.git/info/grafts'), `${git('--no-replace-objects', 'rev-parse', 'HEAD')}\n`);
    expect(await readEverything(checkout, process.env.PATH!)).toBeUndefined();
  });
});

describe('the identity of a user without a home', () => {
  needs.test('is not that of a home in the project', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, '.gitconfig'), '[user]\nname = Evil\nemail = evil@example.org\n');
    for (const HOME of ['', '.', directory.slice(1)]) {
      expect(gitIdentity(directory, { PATH: process.env.PATH, HOME }) ?? '').not.toContain('Evil');
    }
  });
});
