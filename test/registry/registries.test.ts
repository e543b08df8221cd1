import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fetchSources } from '../../src/fetch/fetch-sources.ts';
import { bytesInMemory } from '../../src/layer/archive-bytes.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { BuilditError } from '../../src/model/errors.ts';
import type { RegistryArtefact } from '../../src/model/registry.ts';
import { openRegistries } from '../../src/registry/find-registry-file.ts';
import { crateTemplate, findHostRegistry } from '../../src/registry/host-registries.ts';
import { pinArtefacts } from '../../src/registry/pin-artefacts.ts';
import { goModHash, goZipHash } from '../../src/registry/verify-artefact.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { rawZip } from '../layer/raw-zip.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const context = { signal: new AbortController().signal, emit: () => {} };

/** A registry of every kind in one: each path has the bytes given for it. */
async function registry(
  files: Readonly<Record<string, string | Buffer>>,
): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    const found = files[request.url!];
    if (found === undefined) response.writeHead(404).end();
    else response.end(found);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const host = (files: Readonly<Record<string, string>> = {}, environment: Readonly<Record<string, string>> = {}) => {
  const home = temporaryDirectory();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }
  // What programs of the machine say is not for a test to know.
  return { home, etc: join(home, 'etc'), environment, asks: false };
};

describe('the registry of a host', () => {
  const direct = (...urls: string[]) => ({ kind: 'direct', urls });

  test('of npm is that of its variable, else of .npmrc', async () => {
    const npmrc = { '.npmrc': 'fund=false\nregistry = https://npm.example.org/\n' };
    expect(await findHostRegistry('npm', host(npmrc))).toEqual(direct('https://npm.example.org'));
    const variable = { npm_config_registry: 'https://other.example.org/npm/' };
    expect(await findHostRegistry('npm', host(npmrc, variable))).toEqual(direct('https://other.example.org/npm'));
    expect(await findHostRegistry('npm', host({ 'etc/npmrc': npmrc['.npmrc'] }))).toEqual(
      direct('https://npm.example.org'),
    );
  });

  test('of Go is its list of proxies without what is none', async () => {
    const list = { GOPROXY: 'https://a.example.org|https://b.example.org,direct' };
    expect(await findHostRegistry('go', host({}, list))).toEqual(
      direct('https://a.example.org', 'https://b.example.org'),
    );
    const file = { '.config/go/env': 'GOPROXY=https://c.example.org\n' };
    expect(await findHostRegistry('go', host(file))).toEqual(direct('https://c.example.org'));
    expect(await findHostRegistry('go', host({}, { GOPROXY: 'off' }))).toBeUndefined();
  });

  test('of Python is that of its variable, else of pip.conf', async () => {
    const conf = { '.config/pip/pip.conf': '[global]\nindex-url = https://py.example.org/simple/\n' };
    expect(await findHostRegistry('python', host(conf))).toEqual({
      kind: 'simple',
      url: 'https://py.example.org/simple',
    });
    const variable = { PIP_INDEX_URL: 'https://other.example.org/simple' };
    expect(await findHostRegistry('python', host(conf, variable))).toMatchObject({ url: variable.PIP_INDEX_URL });
  });

  test('of cargo is a replaced source, else where it found its index last', async () => {
    const replaced =
      '[source.crates-io]\nreplace-with = "mirror"\n[source.mirror]\nregistry = "sparse+https://c.example.org/index/"\n';
    const sparse = { kind: 'sparse', url: 'https://c.example.org/index' };
    expect(await findHostRegistry('cargo', host({ '.cargo/config.toml': replaced }))).toEqual(sparse);
    const cached = { '.cargo/registry/index/x-1/config.json': '{"dl": "https://dl.example.org/crates"}' };
    const crates = { kind: 'crates', template: 'https://dl.example.org/crates' };
    expect(await findHostRegistry('cargo', host(cached))).toEqual(crates);
  });

  test('of cargo that is read over https does not lead down to http', () => {
    const config = (dl: string) => JSON.stringify({ dl });
    expect(crateTemplate(config('https://dl.example.org'), 'https://c.example.org')).toBe('https://dl.example.org');
    expect(crateTemplate(config('http://dl.example.org'), 'https://c.example.org')).toBeUndefined();
    expect(crateTemplate(config('http://dl.example.org'), 'http://c.example.org')).toBe('http://dl.example.org');
    expect(crateTemplate(config('file:///etc/passwd'), 'http://c.example.org')).toBeUndefined();
  });

  test.each(['', '.', 'project', './project'])(
    'never lies in the project, which a variable "%s" would name',
    async (value) => {
      const files = {
        ...{ npmrc: 'registry = https://evil.example.org\n', 'pip/pip.conf': 'index-url = https://evil.example.org\n' },
        ...{ 'go/env': 'GOPROXY=https://evil.example.org\n', env: 'GOPROXY=https://evil.example.org\n' },
        'registry/index/x/config.json': '{"dl": "https://evil.example.org"}',
      };
      const { home: project } = host({ ...files });
      const before = process.cwd();
      process.chdir(value.endsWith('project') ? dirname(project) : project);
      const named = value.replace('project', basename(project));
      const variables = {
        ...{ NPM_CONFIG_USERCONFIG: `${named}/npmrc`.replace(/^\//, ''), GOENV: `${named}/env`.replace(/^\//, '') },
        ...{ PIP_CONFIG_FILE: `${named}/pip/pip.conf`.replace(/^\//, ''), XDG_CONFIG_HOME: named, CARGO_HOME: named },
      };
      try {
        for (const ecosystem of ['npm', 'go', 'python', 'cargo'] as const) {
          expect(await findHostRegistry(ecosystem, host({}, variables))).toBeUndefined();
          const homeless = { ...host({}, variables), home: undefined };
          expect(await findHostRegistry(ecosystem, homeless)).toBeUndefined();
        }
      } finally {
        process.chdir(before);
      }
    },
  );

  test.each(['npm', 'go', 'python', 'cargo'] as const)(
    'of %s that nothing names is an error that says how to name it',
    async (ecosystem) => {
      const registries = openRegistries({ configured: {}, host: host(), signal: context.signal });
      const artefact = { ecosystem, name: 'a', version: '1.0.0', fileName: 'a-1.0.0.tgz' };
      const error: BuilditError = await registries.addressesOf(artefact).then(
        () => expect.unreachable(),
        (reason) => reason,
      );
      expect(error.code).toBe('configuration-invalid');
      expect(error.message).toMatch(
        new RegExp(`^Cannot find a registry of ${ecosystem}: expected one from .*, found none$`),
      );
      expect(error.hint).toContain(`registries: {${ecosystem}: URL}`);
    },
  );

  test('is never a file, and never an address with spaces', async () => {
    for (const url of ['file:///etc', 'ftp://x.org', 'https://x.org/a b', 'https:///x', '--help']) {
      expect(await findHostRegistry('npm', host({}, { NPM_CONFIG_REGISTRY: url }))).toBeUndefined();
    }
  });
});

const tarball = Buffer.from('an npm package');
const crate = Buffer.from('a crate');
const wheel = Buffer.from('a wheel');
const goMod = Buffer.from('module example.org/B\n');
const goZip = rawZip([
  { name: 'example.org/B@v1.0.0/go.mod', content: goMod },
  { name: 'example.org/B@v1.0.0/b.go', content: 'package b\n' },
]);
const integrity = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

const LOCKS = {
  npm: JSON.stringify({ packages: { 'node_modules/@s/a': { version: '1.0.0', integrity: integrity(tarball) } } }),
  cargo: `[[package]]\nname = "c"\nversion = "1.0.0"\nsource = "registry+x"\nchecksum = "${sha256(crate)}"\n`,
  go: `example.org/B v1.0.0 h1:${await goZipHash(bytesInMemory(goZip), '')}\nexample.org/B v1.0.0/go.mod h1:${goModHash(goMod)}\n`,
  python: `D.d==1.0 --hash=sha256:${sha256(wheel)}\n`,
} as const;

const FILES = {
  '/npm/@s/a/-/a-1.0.0.tgz': tarball,
  '/cargo/config.json': '',
  '/crates/c/1.0.0/download': crate,
  '/go/example.org/!b/@v/v1.0.0.zip': goZip,
  '/go/example.org/!b/@v/v1.0.0.mod': goMod,
  '/simple/d-d/': `<a href="/files/d_d-1.0-py3-none-any.whl#sha256=${sha256(wheel)}">d_d-1.0-py3-none-any.whl</a>`,
  '/files/d_d-1.0-py3-none-any.whl': wheel,
};

async function session(changed: Readonly<Record<string, string | Buffer>> = {}) {
  const files: Record<string, string | Buffer> = { ...FILES, ...changed };
  const { origin, asked } = await registry(files);
  files['/cargo/config.json'] = JSON.stringify({ dl: `${origin}/crates` });
  const configured = {
    npm: `${origin}/npm`,
    cargo: `${origin}/cargo`,
    go: `${origin}/go`,
    python: `${origin}/simple`,
  };
  const store = await openStore(join(temporaryDirectory(), 'store'));
  const registries = openRegistries({ configured, host: host(), signal: context.signal });
  const pin = (ecosystem: keyof typeof LOCKS, text: string = LOCKS[ecosystem]) =>
    pinArtefacts(ecosystem, { text, name: 'the lock file' }, { store, context, registries });
  return { store, registries, asked, pin };
}

describe('a lock file', () => {
  test.each([
    ['npm', [sha256(tarball)]],
    ['cargo', [sha256(crate)]],
    ['go', [sha256(goZip), sha256(goMod)]],
    ['python', [sha256(wheel)]],
  ] as const)('of %s is fetched, verified by its own checksums and kept', async (ecosystem, digests) => {
    const { pin, store } = await session();
    const files = await pin(ecosystem);
    expect(files.map((file) => file.sha256)).toEqual(digests);
    for (const { sha256: digest, size } of files) expect((await readBlob(store, digest)).length).toBe(size);
  });

  test.each([
    ['npm', '/npm/@s/a/-/a-1.0.0.tgz', /sha512/],
    ['cargo', '/crates/c/1.0.0/download', /expected/],
    ['go', '/go/example.org/!b/@v/v1.0.0.mod', /h1/],
  ] as const)('of %s refuses other bytes', async (ecosystem, path, message) => {
    const { pin } = await session({ [path]: 'other bytes' });
    await expect(pin(ecosystem)).rejects.toMatchObject({
      code: 'checksum-mismatch',
      message: expect.stringMatching(message),
    });
  });

  test('of Go refuses a module with one more file, and one that is no zip', async () => {
    const more = rawZip([{ name: 'example.org/B@v1.0.0/evil.go', content: 'package b\n' }]);
    const path = '/go/example.org/!b/@v/v1.0.0.zip';
    await expect((await session({ [path]: more })).pin('go')).rejects.toMatchObject({ code: 'checksum-mismatch' });
    await expect((await session({ [path]: 'no zip' })).pin('go')).rejects.toMatchObject({ code: 'archive-refused' });
  });

  test('of Python refuses a file that the index calls right and is not', async () => {
    const { pin } = await session({ '/files/d_d-1.0-py3-none-any.whl': 'other bytes' });
    await expect(pin('python')).rejects.toMatchObject({ code: 'checksum-mismatch' });
  });

  test('that names what the registry lacks says which', async () => {
    const { pin } = await session();
    const text = LOCKS.npm.replaceAll('@s/a', 'nowhere');
    await expect(pin('npm', text)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/nowhere/),
    });
  });
});

describe('a source of a registry', () => {
  const artefact: RegistryArtefact = { ecosystem: 'npm', name: '@s/a', version: '1.0.0', fileName: 'a-1.0.0.tgz' };
  const source = (sha: string) => ({
    location: { kind: 'registry', artefact } as const,
    sha256: sha,
    fileName: artefact.fileName,
    action: 'keep' as const,
    strip: 1,
    directory: '.',
  });

  test('is fetched by its digest, once, and comes from elsewhere where the registry has it no more', async () => {
    const { store, registries, asked } = await session();
    const options = {
      store,
      context,
      config: { offline: false },
      findDebianTarball: async () => undefined,
      findRegistryFile: (wanted: RegistryArtefact) => registries.addressesOf(wanted),
      http: { retries: 0, pauseMs: 1 },
    };
    await fetchSources([source(sha256(tarball))], options);
    await fetchSources([source(sha256(tarball))], options);
    expect(asked).toEqual(['/npm/@s/a/-/a-1.0.0.tgz']);
    const other = sha256('other bytes');
    await expect(fetchSources([source(other)], options)).rejects.toMatchObject({ code: 'checksum-mismatch' });
    const taken: string[] = [];
    const takeBlob = async (digest: string) => taken.push(digest) > 0;
    await fetchSources([source(other)], { ...options, takeBlob });
    expect(taken).toEqual([other]);
  });
});
