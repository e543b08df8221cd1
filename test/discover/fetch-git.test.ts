import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type FetchGitOptions, fetchGit, type GitPlace } from '../../src/discover/fetch-git.ts';
import { commitFiles, createOddRepository, createRepository, git, startForge } from '../support/forge.ts';
import { makeAuthority } from '../support/private-internet.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { test, describe } = requires('git', 'openssl');

async function forge() {
  const directory = temporaryDirectory();
  const authority = makeAuthority(directory);
  const repositories = join(directory, 'repositories');
  const certificate = authority.certificateFor(['localhost']);
  const { port, asked, close } = await startForge({ repositories, certificate });
  onTestFinished(close);
  const url = `https://localhost:${port}/team/recipes`;
  const options: FetchGitOptions = { directory: join(directory, 'cache'), ca: authority.ca };
  return {
    repositories,
    bare: join(repositories, 'team/recipes.git'),
    asked,
    url,
    options,
    fetch: (place: Partial<GitPlace> = {}, more: Partial<FetchGitOptions> = {}) =>
      fetchGit({ url, ...place }, { ...options, ...more }),
  };
}

/** An https server that is no forge. */
async function serve(listener: RequestListener) {
  const directory = temporaryDirectory();
  const authority = makeAuthority(directory);
  const { certificatePath, keyPath } = authority.certificateFor(['localhost']);
  const server = createServer({ cert: readFileSync(certificatePath), key: readFileSync(keyPath) }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://localhost:${(server.address() as AddressInfo).port}/team/recipes`;
  return { url, options: { directory: join(directory, 'cache'), ca: authority.ca } };
}

const leftIn = (directory: string) => readdirSync(directory, { recursive: true, encoding: 'utf8' });

describe('a git repository', () => {
  test('is fetched at its HEAD: the files, nothing else, readable for all', async () => {
    const { repositories, fetch } = await forge();
    const revision = createRepository(repositories, 'team/recipes', { 'buildit.json': '{}', 'a/b.txt': 'text\r\n' });
    const fetched = await fetch();
    expect(fetched.revision).toBe(revision);
    expect(fetched.directory.endsWith(`/${revision}`)).toBe(true);
    expect(leftIn(fetched.directory).sort()).toEqual(['a', 'a/b.txt', 'buildit.json']);
    expect(readFileSync(join(fetched.directory, 'a/b.txt'), 'utf8')).toBe('text\r\n');
    expect(statSync(join(fetched.directory, 'a/b.txt')).mode & 0o7777).toBe(0o644);
    expect(leftIn(join(fetched.directory, '..')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('is fetched at a branch, a tag, an annotated tag and a commit', async () => {
    const { repositories, bare, fetch } = await forge();
    const first = createRepository(repositories, 'team/recipes', { file: '1' });
    git(bare, ['tag', 'v1', first]);
    const second = commitFiles(repositories, 'team/recipes', { file: '2' }, 'next');
    git(bare, ['tag', '-m', 'annotated', 'v2', second]);
    commitFiles(repositories, 'team/recipes', { file: '3' });
    for (const [ref, revision, text] of [
      ['v1', first, '1'],
      ['next', second, '2'],
      ['v2', second, '2'],
      ['refs/heads/next', second, '2'],
      ['refs/tags/v2', second, '2'],
      [first, first, '1'],
    ] as const) {
      const fetched = await fetch({ ref });
      expect([ref, fetched.revision]).toEqual([ref, revision]);
      expect(readFileSync(join(fetched.directory, 'file'), 'utf8')).toBe(text);
    }
  });

  test('is fetched at the tag where a branch has the same name', async () => {
    const { repositories, bare, fetch } = await forge();
    const tagged = createRepository(repositories, 'team/recipes', { file: '1' });
    git(bare, ['tag', 'same', tagged]);
    commitFiles(repositories, 'team/recipes', { file: '2' }, 'same');
    expect((await fetch({ ref: 'same' })).revision).toBe(tagged);
  });

  test('is not fetched again while its ref stays, and is when it moves', async () => {
    const { repositories, asked, fetch } = await forge();
    createRepository(repositories, 'team/recipes', { file: '1' });
    const before = await fetch();
    const requests = asked.length;
    expect(await fetch()).toEqual(before);
    expect(asked.length - requests).toBe(2);
    const moved = commitFiles(repositories, 'team/recipes', { file: '2' });
    expect((await fetch()).revision).toBe(moved);
  });

  test('that is pinned is fetched at that revision once, then without a question, offline too', async () => {
    const { repositories, asked, fetch } = await forge();
    const revision = createRepository(repositories, 'team/recipes', { file: '1' });
    commitFiles(repositories, 'team/recipes', { file: '2' });
    const fetched = await fetch({ ref: 'main', revision });
    expect(readFileSync(join(fetched.directory, 'file'), 'utf8')).toBe('1');
    const requests = asked.length;
    expect(await fetch({ ref: 'main', revision }, { offline: true })).toEqual(fetched);
    expect(asked.length).toBe(requests);
    await expect(fetch({ ref: 'main' }, { offline: true })).rejects.toMatchObject({ code: 'offline' });
  });

  test('is fetched by two at once', async () => {
    const { repositories, fetch } = await forge();
    createRepository(repositories, 'team/recipes', { file: '1' });
    const [one, other] = await Promise.all([fetch(), fetch()]);
    expect(one).toEqual(other);
  });

  test('may hold links that stay inside, programs, and a submodule that is left out', async () => {
    const { repositories, fetch } = await forge();
    createOddRepository(repositories, 'team/recipes', [
      { mode: '120000', name: 'link', content: 'run' },
      { mode: '160000', name: 'module', content: '' },
      { mode: '100755', name: 'run', content: 'x' },
    ]);
    const { directory } = await fetch();
    expect(readdirSync(directory).sort()).toEqual(['link', 'run']);
    expect(readlinkSync(join(directory, 'link'))).toBe('run');
    expect(statSync(join(directory, 'run')).mode & 0o7777).toBe(0o755);
  });

  test('cannot change what is fetched by its own attributes, nor run anything', async () => {
    const { repositories, options, fetch } = await forge();
    const home = temporaryDirectory();
    const ran = join(home, 'ran');
    writeFileSync(
      join(home, '.gitconfig'),
      `[filter "x"]\n smudge = "touch ${ran}"\n[url "https://127.0.0.1:1/"]\n insteadOf = https://\n`,
    );
    createRepository(repositories, 'team/recipes', {
      '.gitattributes': 'file filter=x export-subst ident eol=crlf\nhidden export-ignore\n',
      file: '$Format:%H$ $Id$\n',
      hidden: 'x',
    });
    const { directory } = await fetch(
      {},
      { environment: { ...process.env, HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') } },
    );
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('$Format:%H$ $Id$\n');
    expect(existsSync(join(directory, 'hidden'))).toBe(true);
    expect(existsSync(ran)).toBe(false);
    expect(options.directory).not.toContain(home);
  });
});

describe('a hostile repository', () => {
  test.each([
    ['a link to /', { mode: '120000', name: 'x', content: '/etc/passwd' }, /a link that stays inside/],
    ['a link upwards', { mode: '120000', name: 'x', content: '../../x' }, /a link that stays inside/],
    ['..', { mode: '100644', name: '..', content: 'x' }, /a name that stays inside/],
    ['a name with slashes', { mode: '100644', name: '../../../x', content: 'x' }, /a name that stays inside/],
    ['.git', { mode: '100644', name: '.git', content: 'x' }, /a name that stays inside/],
  ])('with %s is refused, and nothing of it stays', async (_, entry, message) => {
    const { repositories, options, fetch } = await forge();
    createOddRepository(repositories, 'team/recipes', [entry]);
    await expect(fetch()).rejects.toMatchObject({
      code: 'archive-refused',
      message: expect.stringMatching(message),
    });
    expect(leftIn(options.directory)).toHaveLength(1);
  });

  test('with more than is taken is refused: in all, in one file, in its pack, in numbers', async () => {
    const { repositories, fetch } = await forge();
    createRepository(repositories, 'team/recipes', {
      file: randomBytes(2 << 20).toString('latin1'),
      other: 'x',
      zeros: '0'.repeat(2 << 20),
    });
    const most = { entries: 10, fileBytes: 8 << 20, totalBytes: 16 << 20 };
    for (const limits of [
      { ...most, entries: 2 },
      { ...most, fileBytes: 1 << 20 },
      { ...most, totalBytes: 4 << 20 },
    ]) {
      await expect(fetch({}, { limits })).rejects.toMatchObject({ code: 'archive-refused' });
    }
    const tooSmall = { ...most, totalBytes: 1 << 20 };
    await expect(fetch({}, { limits: tooSmall })).rejects.toMatchObject({ answer: 'more than is taken' });
    expect((await fetch({}, { limits: most })).revision).toMatch(/^[0-9a-f]{40}$/);
  });

  test('that unfolds without end is refused', async () => {
    const { repositories, bare, fetch } = await forge();
    createRepository(repositories, 'team/recipes', { file: 'x' });
    let tree = git(bare, ['rev-parse', 'main^{tree}']);
    for (let depth = 0; depth < 12; depth += 1) {
      const lines = Array.from({ length: 10 }, (_, at) => `040000 tree ${tree}\tdirectory-of-a-long-name-${at}\n`).join(
        '',
      );
      tree = git(bare, ['mktree'], { input: lines });
    }
    git(bare, ['update-ref', 'refs/heads/main', git(bare, ['commit-tree', '-m', 'x', tree])]);
    await expect(fetch()).rejects.toMatchObject({ answer: 'more than is taken' });
  });
});

describe('a place that is none', () => {
  test('is told as what it is', async () => {
    const { repositories, url, fetch } = await forge();
    createRepository(repositories, 'team/recipes', { file: '1' });
    await expect(fetch({ ref: 'v9' })).rejects.toMatchObject({ code: 'unreachable', answer: 'no branch or tag "v9"' });
    await expect(fetch({ revision: '1'.repeat(40) })).rejects.toMatchObject({
      answer: 'no such branch, tag or commit',
    });
    await expect(fetch({ url: `${url}-missing` })).rejects.toMatchObject({
      answer: 'authentication wanted, or nothing of that name',
    });
    await expect(fetch({ url: 'https://localhost:1/x' })).rejects.toMatchObject({ answer: 'connection refused' });
    await expect(fetch({}, { ca: undefined, environment: {} })).rejects.toMatchObject({
      answer: 'a certificate that is not trusted',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  test.each([
    ['http', (at: string) => at.replace('https:', 'http:')],
    ['file', () => 'file:///etc'],
    ['ext', () => 'ext::id'],
    ['git', () => 'git://127.0.0.1/x'],
  ])('that redirects to %s is not followed', async (_, target) => {
    const seen: string[] = [];
    const { url, options } = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(302, { location: target(`https://localhost:1${request.url}`) }).end();
    });
    await expect(fetchGit({ url }, options)).rejects.toMatchObject({ code: 'unreachable' });
    expect(seen).toHaveLength(1);
  });

  test('that answers with a page for people is no git repository', async () => {
    const { url, options } = await serve((_, response) => response.end('<html>hello</html>'));
    await expect(fetchGit({ url }, options)).rejects.toMatchObject({ answer: 'none, or an empty one' });
  });

  test('that never answers costs a time-out, and its programs end', async () => {
    const { url, options } = await serve(() => undefined);
    const started = performance.now();
    await expect(fetchGit({ url }, { ...options, timeoutMs: 700 })).rejects.toMatchObject({
      answer: 'no whole answer in time',
    });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(leftIn(options.directory)).toHaveLength(1);
  });

  test('that never ends costs a time-out', async () => {
    const { url, options } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      const more = () =>
        response.writableNeedDrain || response.write(Buffer.alloc(1 << 16, '001e# service=git-upload-pack\n'));
      const timer = setInterval(more, 1);
      response.on('close', () => clearInterval(timer));
    });
    await expect(fetchGit({ url }, { ...options, timeoutMs: 3000 })).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('is left at once when the run is interrupted', async () => {
    const { url, options } = await serve(() => undefined);
    const signal = AbortSignal.timeout(300);
    await expect(fetchGit({ url }, { ...options, signal })).rejects.toMatchObject({ code: 'interrupted' });
  });

  test.each([
    'ext::id',
    'file:///etc',
    'git://example.org/x',
    'ssh://example.org/x',
    'http://example.org/x',
    'https://me:s3cret@example.org/x',
    '--upload-pack=id',
    '/srv/x',
    'example.org:x',
  ])('such as %s is refused before anything else, without its secrets', async (url) => {
    const directory = temporaryDirectory();
    const error = await fetchGit({ url }, { directory }).catch((reason) => reason);
    expect(error).toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('expected an https address'),
    });
    expect(error.message).not.toContain('s3cret');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('cannot be asked for an option in place of a ref', async () => {
    const place = { url: 'https://localhost:1/x', ref: '--upload-pack=id' };
    await expect(fetchGit(place, { directory: temporaryDirectory() })).rejects.toMatchObject({ code: 'input-invalid' });
  });
});

test('what a killed run has left is removed a day later', async () => {
  const { repositories, fetch } = await forge();
  createRepository(repositories, 'team/recipes', { file: '1' });
  const trees = join((await fetch()).directory, '..');
  const [old, young] = [join(trees, '.fetch-old'), join(trees, '.fetch-young')];
  for (const path of [old, young]) mkdirSync(path);
  utimesSync(old, 1, 1);
  await fetch();
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});
