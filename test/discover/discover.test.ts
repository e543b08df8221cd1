import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type ConfiguredBinhost, type DiscoverOptions, discover } from '../../src/discover/discover.ts';
import type { DiscoveryStep } from '../../src/discover/discovery.ts';
import { parseDiscovery } from '../../src/discover/parse-discovery.ts';
import { createRepository, startForge } from '../support/forge.ts';
import { makeAuthority } from '../support/private-internet.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { test, describe } = requires('git', 'openssl');

const KEY = `SHA256:${'a'.repeat(43)}`;
const NO_CONFIG = { repository: undefined, repositories: [], offline: false };
const JSON_TEXT = JSON.stringify({
  format: 1,
  name: 'containers',
  description: 'Containers of Sysadmin42',
  recipes: [{ name: 'other', git: 'https://example.org/recipes.git', ref: 'v1' }],
  binhosts: [{ name: 'big', 'download-type': 'https', 'download-path': 'example.org/containers' }],
  signers: [KEY],
});

/** Asks with everything fresh; `text` is what follows `--discover=`. */
function ask(text: string, options: Partial<DiscoverOptions> = {}) {
  const directory = temporaryDirectory();
  return discover(parseDiscovery(text), {
    config: NO_CONFIG,
    directory,
    gitDirectory: join(directory, 'git'),
    ...options,
  });
}

type Pages = Readonly<Record<string, string | RequestListener>>;

/** An https server with these pages: by path, without the query. */
async function serve(pages: Pages | ((place: string) => Pages), authority = makeAuthority(temporaryDirectory())) {
  const { certificatePath, keyPath } = authority.certificateFor(['localhost']);
  const asked: string[] = [];
  let all: Pages = {};
  const server = createServer(
    { cert: readFileSync(certificatePath), key: readFileSync(keyPath) },
    (request, response) => {
      asked.push(request.url ?? '');
      const page = all[(request.url ?? '').replace(/\?.*/, '')];
      if (typeof page === 'function') page(request, response);
      else if (page === undefined) response.writeHead(404).end('not here');
      else response.end(page);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const place = `localhost:${(server.address() as AddressInfo).port}`;
  all = typeof pages === 'function' ? pages(place) : pages;
  return { place, asked, ask: (text: string, options = {}) => ask(text, { ca: authority.ca, ...options }) };
}

const page = (...tags: readonly (readonly [name: string, content: string])[]) =>
  `<!doctype html><html><head>${tags.map(([name, content]) => `<meta name="${name}" content="${content}">`).join('')}</head></html>`;

async function forge(files: Readonly<Record<string, string>>, authority = makeAuthority(temporaryDirectory())) {
  const repositories = join(temporaryDirectory(), 'repositories');
  const revision = createRepository(repositories, 'sysadmin42/containers', files);
  const certificate = authority.certificateFor(['localhost']);
  const { port, asked, close } = await startForge({ repositories, certificate });
  onTestFinished(close);
  const url = `https://localhost:${port}/sysadmin42/containers`;
  return { url, revision, asked, ask: (text: string, options = {}) => ask(text, { ca: authority.ca, ...options }) };
}

describe('a git repository', () => {
  const files = {
    'buildit.json': JSON.stringify({
      format: 1,
      name: 'containers',
      recipes: [{ name: 'team', path: 'recipes' }],
      signers: [KEY],
    }),
    'recipes/repository.yaml': 'name: team\n',
  };

  test('offers its recipes at a revision, with each step told as it is taken', async () => {
    const { url, revision, ask } = await forge(files);
    const told: DiscoveryStep[] = [];
    const found = await ask(`git+${url}`, { onStep: (step: DiscoveryStep) => told.push(step) });
    expect(found).toMatchObject({
      location: `git+${url}`,
      revision,
      recipes: [{ name: 'team', git: url, ref: undefined, revision, path: 'recipes' }],
      binhosts: [],
      signers: [KEY],
    });
    expect(readFileSync(join(found.recipes[0]!.directory!, 'repository.yaml'), 'utf8')).toBe('name: team\n');
    expect(found.steps).toEqual([
      { tried: 'configured names (none)', answer: 'not among them' },
      { tried: `git ${url}`, answer: `revision ${revision}` },
      { tried: 'buildit.json at its root', answer: 'found' },
    ]);
    expect(told).toEqual(found.steps);
  });

  test('that a lock pins is read without a question once it is here', async () => {
    const { url, revision, asked, ask } = await forge(files);
    const gitDirectory = join(temporaryDirectory(), 'git');
    await ask(`git+${url}`, { gitDirectory });
    const requests = asked.length;
    const config = { ...NO_CONFIG, offline: true };
    const found = await ask(`git+${url}`, { gitDirectory, revision, config });
    expect(found.recipes).toMatchObject([{ name: 'team', revision }]);
    expect(asked.length).toBe(requests);
  });

  test('without a buildit.json offers nothing', async () => {
    const { url, ask } = await forge({ 'repository.yaml': 'name: team\n' });
    await expect(ask(`git+${url}`)).rejects.toMatchObject({
      code: 'unreachable',
      details: expect.arrayContaining(['buildit.json at its root: not there']),
    });
  });

  test('without the ref asked for says so', async () => {
    const { url, ask } = await forge(files);
    await expect(ask(`git+${url},ref=v9`)).rejects.toMatchObject({
      code: 'unreachable',
      details: expect.arrayContaining([`git ${url} ref v9: no branch or tag "v9"`]),
    });
  });

  test('with recipes that are not there, or mistakes, says where', async () => {
    const { url, ask } = await forge({
      'buildit.json': '{"format": 1,\n"name": "x",\n"recipes": [{"name": "a", "path": "gone"}]}',
    });
    await expect(ask(`git+${url}`)).rejects.toMatchObject({
      code: 'input-invalid',
      message: 'Cannot use "gone": expected a directory with a repository.yaml, found none',
      position: { file: `${url}/buildit.json`, line: 3 },
    });
  });

  test('whose authority is not trusted says how to trust it', async () => {
    const { url, ask } = await forge(files);
    await expect(ask(`git+${url}`, { ca: undefined, environment: {} })).rejects.toMatchObject({
      code: 'unreachable',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });
});

describe('a page with tags', () => {
  test('leads to a buildit.json', async () => {
    const { place, ask } = await serve((at) => ({
      '/containers': page(['buildit-discovery', `${at}/containers https://${at}/here/buildit.json`]),
      '/here/buildit.json': JSON_TEXT,
    }));
    const found = await ask(`${place}/containers`);
    expect(found).toMatchObject({
      description: 'Containers of Sysadmin42',
      recipes: [{ name: 'other', git: 'https://example.org/recipes.git', ref: 'v1', directory: undefined }],
      binhosts: [{ name: 'big', downloadType: 'https', downloadPath: 'example.org/containers' }],
      signers: [KEY],
    });
    expect(found.steps.slice(1)).toEqual([
      { tried: `https://${place}/containers?ac-discovery=1`, answer: 'a page with 1 buildit-discovery tag' },
      { tried: `https://${place}/here/buildit.json`, answer: 'a buildit.json' },
    ]);
  });

  test('is looked for upwards, as appc does', async () => {
    const { place, asked, ask } = await serve((at) => ({
      '/': page(['buildit-discovery', `${at} https://${at}/buildit.json`]),
      '/buildit.json': JSON_TEXT,
    }));
    await ask(`https://${place}/a/b`);
    expect(asked).toEqual(['/a/b?ac-discovery=1', '/a?ac-discovery=1', '/?ac-discovery=1', '/buildit.json']);
  });

  test('leads to a directory that is a binhost', async () => {
    const { place, ask } = await serve((at) => ({
      '/': page(['buildit-discovery', `${at} https://${at}/containers/`]),
      '/containers/buildit-binhost.json': '{"format": 1, "name": "big", "id": "x"}',
    }));
    expect((await ask(place)).binhosts).toEqual([
      { name: 'big', downloadType: 'https', downloadPath: `${place}/containers`, priority: undefined },
    ]);
  });

  test('leads to a git repository, and ref= is for that', async () => {
    const authority = makeAuthority(temporaryDirectory());
    const { url, revision } = await forge({ 'buildit.json': JSON_TEXT }, authority);
    const { place, ask } = await serve((at) => ({ '/': page(['buildit-discovery', `${at} git+${url}`]) }), authority);
    const found = await ask(`${place}/x,ref=main`);
    expect(found).toMatchObject({ description: 'Containers of Sysadmin42', signers: [KEY] });
    expect(found.steps).toContainEqual({ tried: `git ${url} ref main`, answer: `revision ${revision}` });
  });

  test('of images only is an answer where nothing else is', async () => {
    const { place, ask } = await serve((at) => ({
      '/x': page(['ac-discovery', `${at}/x https://${at}/aci/{os}/{arch}/{name}-{version}.{ext}`]),
    }));
    const found = await ask(`${place}/x`);
    expect(found).toMatchObject({ recipes: [], binhosts: [], signers: [], images: [{ prefix: `${place}/x` }] });
    expect(found.steps.at(-1)).toEqual({
      tried: `https://${place}/.well-known/buildit.json`,
      answer: '404 (not there)',
    });
  });

  test('that are no use is passed over, with the reason', async () => {
    const { place, ask } = await serve((at) => ({
      '/': page(
        ['buildit-discovery', `${at} ext::id`],
        ['buildit-discovery', `${at} http://example.org/x`],
        ['buildit-discovery', 'example.org https://example.org/x'],
        ['buildit-discovery', `${at} https://me:s3cret@example.org/x`],
      ),
    }));
    const error = await ask(place).catch((reason) => reason);
    expect(error.details).toEqual([
      'configured names (none): not among them',
      `https://${place}/?ac-discovery=1: a page without discovery tags of use`,
      '<meta name="buildit-discovery">: refused: the scheme "ext:"',
      '<meta name="buildit-discovery">: refused: plain http to another machine',
      '<meta name="buildit-discovery">: for other names',
      '<meta name="buildit-discovery">: refused: an address with a user or a password',
      `https://${place}/.well-known/buildit.json: 404 (not there)`,
    ]);
    expect(JSON.stringify(error)).not.toContain('s3cret');
  });
});

describe('a well-known file', () => {
  test('is asked for last', async () => {
    const { place, asked, ask } = await serve({ '/.well-known/buildit.json': JSON_TEXT });
    expect(await ask(`${place}/containers`)).toMatchObject({ signers: [KEY] });
    expect(asked).toEqual(['/containers?ac-discovery=1', '/?ac-discovery=1', '/.well-known/buildit.json']);
  });

  test('that is a page for people is none', async () => {
    const { place, ask } = await serve({ '/.well-known/buildit.json': '<html>welcome</html>' });
    await expect(ask(place)).rejects.toMatchObject({
      code: 'unreachable',
      details: expect.arrayContaining([`https://${place}/.well-known/buildit.json: a page that is no JSON`]),
    });
  });

  test('with mistakes ends the search, with all of them', async () => {
    const { place, ask } = await serve({
      '/.well-known/buildit.json': '{"format": 1, "nam": "x", "recipes": [{"name": "a"}]}',
    });
    const error = await ask(place).catch((reason) => reason);
    expect(
      error.errors.map(({ code, position }: { code: string; position: object }) => [code, position]),
    ).toMatchObject([
      ['input-invalid', { file: `https://${place}/.well-known/buildit.json` }],
      ['input-invalid', {}],
    ]);
  });

  test('knows no ref', async () => {
    const { place, ask } = await serve({ '/.well-known/buildit.json': JSON_TEXT });
    await expect(ask(`${place},ref=main`)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('name=', () => {
  test('takes what has that name, and nothing where nothing has it', async () => {
    const { place, ask } = await serve({ '/.well-known/buildit.json': JSON_TEXT });
    expect(await ask(`${place},name=big`)).toMatchObject({ recipes: [], binhosts: [{ name: 'big' }] });
    await expect(ask(`${place},name=small`)).rejects.toMatchObject({
      code: 'usage',
      message: `Cannot use "name=small" of ${place}: expected other, big, found "small"`,
    });
  });
});

describe('a configured name', () => {
  const big: ConfiguredBinhost = {
    name: 'big',
    downloadType: 'ssh',
    downloadPath: 'example.org/x',
    priority: 2,
  };

  test('stands for what is configured, and nothing is asked', async () => {
    const config = { ...NO_CONFIG, repository: big };
    expect(await ask('big', { config })).toMatchObject({
      recipes: [],
      binhosts: [{ name: 'big', downloadType: 'ssh', downloadPath: 'example.org/x', priority: 2 }],
      steps: [{ tried: 'configured name big', answer: 'found' }],
    });
  });

  test('without a place to download from offers nothing', async () => {
    const config = { ...NO_CONFIG, repositories: [{ ...big, downloadType: undefined, downloadPath: undefined }] };
    await expect(ask('big', { config })).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a path', () => {
  test('offers what its buildit.json says, plain http to this machine too', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'x/team'), { recursive: true });
    writeFileSync(join(directory, 'x/team/repository.yaml'), 'name: team\n');
    const binhosts = [{ name: 'local', 'download-type': 'http', 'download-path': 'localhost:8080/x' }];
    const json = { format: 1, name: 'x', recipes: [{ name: 'team', path: 'team' }], binhosts };
    writeFileSync(join(directory, 'x/buildit.json'), JSON.stringify(json));
    expect(await ask('./x', { directory })).toMatchObject({
      recipes: [{ name: 'team', git: undefined, path: 'team', directory: join(directory, 'x/team') }],
      binhosts: [{ name: 'local', downloadType: 'http' }],
    });
  });

  test('whose buildit.json or recipes are links that lead out offers nothing', async () => {
    const directory = temporaryDirectory();
    const outside = temporaryDirectory();
    writeFileSync(join(outside, 'buildit.json'), '{"format": 1, "name": "x"}');
    writeFileSync(join(outside, 'repository.yaml'), 'name: x\n');
    symlinkSync(join(outside, 'buildit.json'), join(directory, 'buildit.json'));
    await expect(ask('.', { directory })).rejects.toMatchObject({
      details: expect.arrayContaining([expect.stringContaining('a link that leaves the directory')]),
    });
    const other = temporaryDirectory();
    symlinkSync(outside, join(other, 'team'));
    writeFileSync(
      join(other, 'buildit.json'),
      '{"format": 1, "name": "x", "recipes": [{"name": "x", "path": "team"}]}',
    );
    await expect(ask('.', { directory: other })).rejects.toThrow('found a link that leaves it');
  });

  test('with nothing in it lists what was tried', async () => {
    await expect(ask('nowhere')).rejects.toMatchObject({
      code: 'unreachable',
      details: [
        'configured names (none): not among them',
        expect.stringMatching(/\/nowhere\/buildit\.json: not there$/),
      ],
    });
  });
});

describe('an unknown location', () => {
  test('lists everything tried with its answer', async () => {
    const { place, ask } = await serve({
      '/a': '<html><head></head></html>',
      '/': (_, response) => response.writeHead(500).end(),
    });
    await expect(ask(`${place}/a/b`)).rejects.toMatchObject({
      code: 'unreachable',
      message: `Cannot discover "${place}/a/b": expected recipes or a binhost, found neither at any place tried`,
      details: [
        'configured names (none): not among them',
        `https://${place}/a/b?ac-discovery=1: 404 (not there)`,
        `https://${place}/a?ac-discovery=1: a page without discovery tags`,
        `https://${place}/?ac-discovery=1: 500 (the server failed)`,
        `https://${place}/.well-known/buildit.json: 404 (not there)`,
      ],
    });
  });

  test('on a host that gives no answer is asked once', async () => {
    await expect(ask('localhost:1/a/b')).rejects.toMatchObject({
      details: [
        'configured names (none): not among them',
        'https://localhost:1/a/b?ac-discovery=1: connection refused',
        'https://localhost:1/a?ac-discovery=1: not asked, since its host gave no answer',
        'https://localhost:1/?ac-discovery=1: not asked, since its host gave no answer',
        'https://localhost:1/.well-known/buildit.json: not asked, since its host gave no answer',
      ],
    });
  });

  test('is not asked for offline', async () => {
    const config = { ...NO_CONFIG, offline: true };
    await expect(ask('example.org', { config })).rejects.toMatchObject({ code: 'offline' });
    await expect(ask('github.com/a/b', { config })).rejects.toMatchObject({ code: 'offline' });
  });

  test('is refused before anything is asked where it is no location', async () => {
    for (const text of ['ext::id', 'file:///etc', 'http://example.org', 'https://me:s3cret@example.org']) {
      const error = await ask(text).catch((reason) => reason);
      expect(error.code).toBe('usage');
      expect(JSON.stringify(error)).not.toContain('s3cret');
    }
  });
});

describe('a hostile server', () => {
  const answerOf = async (listener: RequestListener, options = {}) => {
    const { place, asked, ask } = await serve({ '/': listener });
    const error = await ask(place, options).catch((reason) => reason);
    expect(error.code).toBe('unreachable');
    return { answer: error.steps[1].answer as string, asked, place };
  };
  const redirect =
    (location: string): RequestListener =>
    (_, response) =>
      response.writeHead(302, { location }).end();

  test('cannot send a reader to plain http', async () => {
    let reached = 0;
    const plain = createPlainServer((_, response) => {
      reached += 1;
      response.end('x');
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as AddressInfo;
    expect((await answerOf(redirect(`http://127.0.0.1:${port}/x`))).answer).toContain('which is not https');
    expect(reached).toBe(0);
  });

  test.each(['file:///etc/passwd', 'ftp://example.org/', 'data:text/html,x', 'ext::id', 'javascript:1'])(
    'cannot send a reader to %s',
    async (location) => {
      expect((await answerOf(redirect(location))).answer).toMatch(/a redirect to .*not https|a redirect to no URL/);
    },
  );

  test('cannot send a reader in circles', async () => {
    expect((await answerOf(redirect('/'))).answer).toContain('more than 5 redirects');
  });

  test('cannot send a page without end', async () => {
    const endless: RequestListener = (_, response) => {
      const timer = setInterval(
        () => response.writableNeedDrain || response.write('<meta name="x" content="y">'.repeat(4000)),
        1,
      );
      response.on('close', () => clearInterval(timer));
    };
    expect((await answerOf(endless)).answer).toBe('refused: more than 1048576 bytes');
  });

  test('cannot send a page of 50 MB, whether it says so or not', async () => {
    const before = process.memoryUsage.rss();
    const announced: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-length': String(50 << 20) });
      response.write('x');
    };
    expect((await answerOf(announced)).answer).toBe('refused: more than 1048576 bytes');
    const unannounced: RequestListener = (_, response) => {
      const piece = Buffer.alloc(1 << 20, 0x20);
      let left = 50;
      const more = () => {
        while (left > 0 && !response.writableNeedDrain) {
          left -= 1;
          response.write(piece);
        }
        if (left > 0) response.once('drain', more);
        else response.end();
      };
      more();
    };
    expect((await answerOf(unannounced)).answer).toBe('refused: more than 1048576 bytes');
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 << 20);
  });

  test('cannot keep a reader waiting', async () => {
    const silent = await answerOf(() => undefined, { pageTimeoutMs: 500 });
    expect(silent.answer).toMatch(/no whole page in 0\.5 seconds|no answer in time/);
    expect(silent.asked).toHaveLength(1);
    const slow: RequestListener = (_, response) => {
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    };
    expect((await answerOf(slow, { pageTimeoutMs: 500 })).answer).toMatch(/in 0\.5 seconds|bytes in/);
  });

  test('cannot put tags into what visitors write, nor escapes into what is shown', async () => {
    const { place, ask } = await serve((at) => ({
      '/': `<html><body>${page(['buildit-discovery', `${at} https://${at}/x.json`])}</body></html>`,
      '/x.json': JSON_TEXT,
      '/.well-known/buildit.json': `{"format": 1, "name": "\\u001b[2J"}`,
    }));
    const error = await ask(place).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'input-invalid', message: expect.not.stringContaining('\u001b') });
  });

  test('cannot hold a run that is interrupted', async () => {
    const { place, ask } = await serve({ '/': () => undefined });
    await expect(ask(place, { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({ code: 'interrupted' });
  });
});
