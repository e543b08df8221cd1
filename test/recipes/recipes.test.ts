import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import type { ResolvedPackage } from '../../src/model/package.ts';
import { ECOSYSTEMS } from '../../src/model/registry.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const repository = join(root, 'repos/main');
const config = { recipes: [{ name: 'main', path: repository }], use: { with: [], without: [] } };

const names = readdirSync(repository, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name: category }) => readdirSync(join(repository, category)).map((name) => `${category}/${name}`));

async function resolve(name: string, more = ''): Promise<ResolvedPackage> {
  const directory = temporaryDirectory();
  const steps = [
    'vars: {name: test, version: 1, os: linux, arch: amd64}',
    `package: {type: repository, name: ${name}${more}}`,
    'image: {type: oci}',
  ];
  writeFileSync(join(directory, 'container.yaml'), `---\n${steps.map((step) => `- ${step}\n`).join('')}`);
  const { packages } = await readDefinitions(directory, { config });
  return packages.find((definition) => definition.name === name)!;
}

describe('every recipe', () => {
  test.each(names)('%s says what it is and where its source can be had', async (name) => {
    const definition = await resolve(name);
    expect(definition.description).toMatch(/^[A-Z]/);
    expect(definition.license).toBeDefined();
    expect(definition.phases.install).toBeDefined();
    for (const { location } of definition.sources) {
      if (location.kind === 'registry') expect(ECOSYSTEMS).toContain(location.artefact.ecosystem);
      else expect(location).toMatchObject({ kind: 'remote', mirrors: [{ kind: 'debian' }] });
    }
  });

  test.each(names)('%s can be had with all of its flags and with none', async (name) => {
    const flags = Object.keys((await resolve(name)).flags);
    for (const choice of ['with', 'without']) {
      const definition = await resolve(name, `, use: {${choice}: [${flags.join(', ')}]}`);
      for (const flag of flags) expect(definition.flags[flag]!.enabled).toBe(choice === 'with');
    }
  });

  test('gives its users numbers that no other has', async () => {
    const users = (await Promise.all(names.map((name) => resolve(name)))).flatMap((definition) => definition.users);
    expect(users.length).toBeGreaterThan(5);
    expect(new Set(users.map(({ uid }) => uid)).size).toBe(users.length);
  });

  test('is found', () => {
    expect(names).toEqual(expect.arrayContaining(['www-servers/nginx', 'sys-apps/baselayout', 'app-misc/hello']));
  });
});

describe('nginx', () => {
  const configure = async (use: string, version = '1.22.1'): Promise<string> =>
    (await resolve('www-servers/nginx', `, version: ${version}, use: ${use}`)).environment.BUILDIT_CONFIGURE!;

  test.each(['1.22.1', '1.26.3'])('%s says that ipv6 and selinux have no effect', async (version) => {
    const { notices } = await resolve('www-servers/nginx', `, version: ${version}, use: {with: [ipv6, selinux]}`);
    expect(notices).toHaveLength(2);
    expect(notices.join()).toContain('has no effect');
  });

  test('is configured by its flags', async () => {
    expect(await configure('{with: [mail, stream]}')).toMatch(/--with-mail.*--with-stream/);
    expect(await configure('{}')).not.toMatch(/--with-mail|--with-stream/);
    expect(await configure('{without: [pcre, gzip]}')).toMatch(/--without-http_gzip_module.*--without-pcre/);
    expect(await configure('{without: [ssl]}')).not.toMatch(/_ssl_|_v2_/);
    await expect(configure('{with: [http2], without: [ssl]}')).rejects.toThrow(/ssl/);
  });

  test('links what its flags need and nothing else', async () => {
    const { dependencies } = await resolve('www-servers/nginx', ', use: {without: [ssl, http2, pcre, gzip]}');
    expect(dependencies.link).toEqual([{ category: 'debian', name: 'libcrypt1' }]);
  });
});

describe('the certificate of the example', () => {
  const directory = join(root, 'examples/nginx-prod/files/throw-away-certificate');

  test('is marked as one that everybody knows the key of, and is valid for a long time', () => {
    const text = readFileSync(join(directory, 'certificate.pem'), 'utf8');
    const certificate = new X509Certificate(text);
    expect(text).toContain('throw-away');
    expect(readFileSync(join(directory, 'key.pem'), 'utf8')).toContain('known to everybody');
    expect(certificate.subject).toContain('Throw-away certificate');
    expect(certificate.ca).toBe(false);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.parse('2021-01-01'));
    expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.parse('2100-01-01'));
  });
});
