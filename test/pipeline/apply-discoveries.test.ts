import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { parseDiscovery } from '../../src/discover/parse-discovery.ts';
import { lockText } from '../../src/lock/lock-file.ts';
import { parseContainerLock } from '../../src/lock/parse-lock.ts';
import type { ContainerLock, DiscoveredPin } from '../../src/model/lock.ts';
import { applyDiscoveries } from '../../src/pipeline/apply-discoveries.ts';
import type { BuildOptions } from '../../src/pipeline/contract.ts';
import { openStore } from '../../src/store/store.ts';
import { createWitness } from '../../src/system/witness.ts';
import { commitFiles, createRepository, startForge } from '../support/forge.ts';
import { makeAuthority } from '../support/private-internet.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const before = process.env.GIT_SSL_CAINFO;
let place: string;

beforeEach(() => {
  place = temporaryDirectory();
});

afterEach(() => {
  if (before === undefined) delete process.env.GIT_SSL_CAINFO;
  else process.env.GIT_SSL_CAINFO = before;
});

const REPOSITORY_YAML = 'name: far\ndebian: {suites: [bookworm]}\n';

async function forgeWith(name: string, files: Readonly<Record<string, string>>) {
  const repositories = join(place, 'repositories');
  mkdirSync(repositories);
  const commit = createRepository(repositories, name, files);
  const authority = makeAuthority(place);
  process.env.GIT_SSL_CAINFO = authority.caPath;
  const forge = await startForge({ repositories, certificate: authority.certificateFor(['127.0.0.1', 'localhost']) });
  return { repositories, commit, url: `https://localhost:${forge.port}/${name}` };
}

async function optionsWith(config: string, discover: readonly string[] = []): Promise<BuildOptions> {
  const directory = join(place, 'container');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '.buildit-config.yaml'), config);
  return {
    directory,
    config: await loadConfig({ directory, flags: {}, environment: { HOME: place } }),
    context: { signal: new AbortController().signal, emit: () => undefined },
    witness: createWitness(),
    platform: undefined,
    locked: false,
    frozen: false,
    fromSource: false,
    binaryOnly: false,
    check: false,
    test: true,
    outputs: [],
    tag: [],
    push: false,
    discover: discover.map(parseDiscovery),
  };
}

function lockWith(discovered: Readonly<Record<string, DiscoveredPin>>): string {
  const lock: ContainerLock = {
    ...{ format: 1, kind: 'container', repositories: {}, wanted: [], debian: {}, additions: {}, overrides: {} },
    ...{ patches: {}, versions: {}, layers: [], discovered },
  } as const;
  expect(parseContainerLock(lockText(lock), 'buildit.lock').discovered).toEqual(discovered);
  return lockText(lock);
}

requires('git', 'openssl').test('recipes of the configuration stay at the commit that the lock names', async () => {
  const { repositories, commit, url } = await forgeWith('team/far', { 'repository.yaml': REPOSITORY_YAML });
  const store = await openStore(join(place, 'store'));
  const options = await optionsWith(`recipes: [{name: far, git: "${url}"}]\n`);
  const first = await applyDiscoveries(store, options);
  expect(first.pins).toEqual({ [url]: { revision: commit, signers: [], recipes: {} } });
  const recipes = first.options.config.recipes.find(({ name }) => name === 'far');

  const moved = commitFiles(repositories, 'team/far', { 'repository.yaml': `${REPOSITORY_YAML}# moved\n` });
  writeFileSync(join(options.directory, 'buildit.lock'), lockWith(first.pins));
  const second = await applyDiscoveries(store, options);
  expect(second.pins).toEqual(first.pins);
  expect(second.options.config.recipes).toContainEqual(recipes);
  const anew = await applyDiscoveries(store, options, { anew: true });
  expect(anew.pins[url]?.revision).toBe(moved);
});

requires('git', 'openssl').test(
  'a location adds recipes and binhosts, and never in place of configured ones',
  async () => {
    const offer = (name: string) =>
      JSON.stringify({
        format: 1,
        name: 'far',
        recipes: [{ name, path: 'recipes' }],
        binhosts: [{ name: 'far', 'download-type': 'https', 'download-path': 'far.example.org/x' }],
        signers: ['SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'],
      });
    const files = { 'buildit.json': offer('far'), 'recipes/repository.yaml': REPOSITORY_YAML };
    const { repositories, commit, url } = await forgeWith('team/offers', files);
    const store = await openStore(join(place, 'store'));
    const options = await optionsWith('', [`git+${url}`]);
    const { options: extended, pins } = await applyDiscoveries(store, options);
    expect(extended.config.recipes.map(({ name }) => name)).toEqual(['main', 'far']);
    expect(extended.config.repositories).toMatchObject([
      { name: 'far', verify: 'require', trustedKeys: [], uploadType: undefined, builders: 1 },
    ]);
    expect(Object.values(pins)).toEqual([{ revision: commit, signers: [], recipes: {} }]);

    commitFiles(repositories, 'team/offers', { ...files, 'buildit.json': offer('main') });
    await expect(applyDiscoveries(store, options)).rejects.toMatchObject({ code: 'configuration-invalid' });
  },
);

test('without locations nothing is asked', async () => {
  const options = await optionsWith('');
  const store = await openStore(join(place, 'store'));
  expect(await applyDiscoveries(store, options)).toEqual({ options, pins: {} });
});
