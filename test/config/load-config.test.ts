import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConfigFlags, loadConfig } from '../../src/config/load-config.ts';
import { PROJECT_SETTINGS } from '../../src/config/project-settings.ts';
import { readTrustedConfigs, trustConfigFile } from '../../src/config/trusted-configs.ts';
import type { Config } from '../../src/model/config.ts';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError, BuilditErrors } from '../../src/model/errors.ts';
import { createWitness } from '../../src/system/witness.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const FOUNDING = `---
repository:
  name: mysuperbinhost
  upload-type: ssh
  upload-path: containers@mysuperbinhost.org/containers
  download-type: https
  download-path: mysuperbinhost.org/containers
`;

interface Home {
  readonly directory: string;
  readonly environment: { readonly HOME: string };
  write(path: string, content: string): string;
  load(more?: { flags?: ConfigFlags; environment?: Record<string, string> }): Promise<Config>;
  trust(path: string): Promise<unknown>;
}

/** A user with a home of their own and a project with a container two directories down. */
function createHome(): Home {
  const root = temporaryDirectory();
  const environment = { HOME: join(root, 'home') };
  const directory = join(root, 'project/containers/web');
  mkdirSync(directory, { recursive: true });
  return {
    directory,
    environment,
    write(path, content) {
      const absolute = join(root, path);
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, content);
      return absolute;
    },
    load: ({ flags = {}, environment: more = {} } = {}) =>
      loadConfig({ directory, flags, environment: { ...environment, ...more } }),
    trust: (path) => trustConfigFile(join(root, path), environment),
  };
}

const PROJECT = 'project/.buildit-config.yaml';
const USER = 'home/.config/buildit/config.yaml';

async function messagesOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.then(
    () => undefined,
    (reason) => reason,
  );
  const errors = error instanceof BuilditErrors ? error.errors : [error];
  return errors.map((one) => {
    if (!(one instanceof BuilditError)) throw one ?? new Error('nothing was refused');
    return `${one.code} ${one.position?.line ?? '-'}:${one.position?.column ?? '-'} ${one.message}`;
  });
}

describe('without any configuration', () => {
  test('everything local works, with the recipes that ship', async () => {
    const config = await createHome().load();
    expect(config).toMatchObject({
      repository: undefined,
      repositories: [],
      debian: { mirror: undefined },
      build: { jobs: availableParallelism(), timeoutMs: 7_200_000, memoryBytes: 4 * 2 ** 30, keepFailed: false },
      use: { with: [], without: [] },
      offline: false,
      notices: [],
    });
    expect(config.recipes.map(({ name }) => name)).toEqual(['main']);
    expect(readFileSync(join(config.recipes[0]!.path, 'repository.yaml'), 'utf8')).toContain('name: main');
    expect(config.origins).toMatchObject({ store: 'default', 'build.jobs': 'default', 'recipes.main': 'default' });
  });

  test('the result cannot be changed', async () => {
    const config = await createHome().load();
    expect(() => ((config.build as { jobs: number }).jobs = 1)).toThrow(TypeError);
  });

  test('the store is root’s or in the user’s cache', async () => {
    const home = createHome();
    const isRoot =
      process.getuid?.() === 0 && /^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'));
    const cache = join(home.environment.HOME!, '.cache/buildit');
    expect((await home.load()).store).toBe(isRoot ? '/var/cache/buildit' : cache);
    const elsewhere = await home.load({ environment: { XDG_CACHE_HOME: '/elsewhere' } });
    expect(elsewhere.store).toBe(isRoot ? '/var/cache/buildit' : '/elsewhere/buildit');
  });
});

describe('files', () => {
  test('the founding one is found by walking up', async () => {
    const home = createHome();
    const path = home.write(PROJECT, FOUNDING);
    const config = await home.load();
    expect(config.repository).toEqual({
      name: 'mysuperbinhost',
      uploadType: 'ssh',
      uploadPath: 'containers@mysuperbinhost.org/containers',
      downloadType: 'https',
      downloadPath: 'mysuperbinhost.org/containers',
      priority: 0,
      verify: 'require',
      signers: undefined,
      builders: 1,
      freshness: 'warn',
      timeoutMs: undefined,
      ca: undefined,
      insecure: false,
      driver: 'builtin',
      trustedKeys: [],
      pinnedKeys: undefined,
    });
    expect(config.origins.repository).toBe(path);
    expect(config.notices).toEqual([]);
  });

  test('who is believed at a place is said by the user alone', async () => {
    const home = createHome();
    const text = `repository:
  name: team
  download-type: https
  download-path: example.org/x
  verify: 'off'
  signers: [mallory@*]
  builders: 2
  ca: ca.pem
  insecure: true
sign: {key: ~/evil}
trust: {allowed-signers: ./mine}
`;
    home.write(PROJECT, text);
    const strict = { verify: 'require', signers: undefined, builders: 1, ca: undefined, insecure: false };
    expect((await home.load()).repository).toMatchObject(strict);
    expect((await home.load()).sign.key).toBeUndefined();
    const untouched = (await home.load()).trust.allowedSigners;
    home.write(PROJECT, '');
    const user = home.write(USER, text);
    const { repository, trust, sign } = await home.load();
    expect(repository).toMatchObject({ verify: 'off', signers: ['mallory@*'], builders: 2, insecure: true });
    expect(repository?.ca).toBe(join(dirname(user), 'ca.pem'));
    expect(trust.allowedSigners).toBe(join(dirname(user), 'mine'));
    expect(sign.key).toBe('~/evil');
    expect(untouched).toMatch(/\.config\/buildit\/allowed_signers$/);
  });

  test('recipes may lie in a git repository', async () => {
    const home = createHome();
    home.write(PROJECT, 'recipes: [{name: far, git: "https://example.org/far.git", ref: v1.4}]\n');
    const { gitRecipes, recipes } = await home.load();
    expect(gitRecipes).toEqual([{ name: 'far', git: 'https://example.org/far.git', ref: 'v1.4' }]);
    expect(recipes.map(({ name }) => name)).toEqual(['main']);
  });

  test.each([
    'recipes: [{name: far, git: "ext::sh -c true"}]',
    'recipes: [{name: far, git: "https://user:secret@example.org/x.git"}]',
    'recipes: [{name: far, git: "http://example.org/x.git"}]',
    'recipes: [{name: far, git: "https://example.org/x.git", ref: --upload-pack=true}]',
    'recipes: [{name: far, git: "https://example.org/x.git", path: ./here}]',
    'recipes: [{name: far, ref: main}]',
  ])('refuses %s', async (text) => {
    const home = createHome();
    home.write(PROJECT, `${text}\n`);
    await expect(home.load()).rejects.toThrow(/expected/);
  });

  test('the nearest one counts, and an empty one is fine', async () => {
    const home = createHome();
    home.write(PROJECT, FOUNDING);
    home.write('project/containers/.buildit-config.yaml', '# nothing\n');
    expect((await home.load()).repository).toBeUndefined();
  });

  test('flags beat variables, variables beat files, the project’s beats the user’s', async () => {
    const home = createHome();
    const project = home.write(PROJECT, 'build: {jobs: 2, timeout: 90s}\nuse: {with: [mail]}\n');
    const user = home.write(
      USER,
      'build: {jobs: 3, timeout: 1h, memory: 512M}\nuse: {with: [ssl], without: [mail, x]}\n',
    );
    const plain = await home.load();
    expect(plain.build).toMatchObject({ jobs: 2, timeoutMs: 90_000, memoryBytes: 512 * 2 ** 20 });
    expect(plain.use).toEqual({ with: ['mail', 'ssl'], without: ['x'] });
    expect(plain.origins).toMatchObject({
      'build.jobs': project,
      'build.memory': user,
      'use.mail': project,
      'use.x': user,
    });
    const environment = { BUILDIT_JOBS: '5', BUILDIT_STORE: '/store', BUILDIT_OFFLINE: 'yes', BUILDIT_TIMEOUT: '' };
    const varied = await home.load({ environment });
    expect(varied).toMatchObject({ store: '/store', offline: true, build: { jobs: 5, timeoutMs: 90_000 } });
    expect(varied.origins).toMatchObject({ 'build.jobs': 'BUILDIT_JOBS', store: 'BUILDIT_STORE' });
    const flagged = await home.load({ environment, flags: { jobs: 7, store: '/other' } });
    expect(flagged).toMatchObject({ store: '/other', build: { jobs: 7 } });
    expect(flagged.origins).toMatchObject({ 'build.jobs': '--jobs', store: '--store' });
  });

  test('$XDG_CONFIG_HOME holds the user’s', async () => {
    const home = createHome();
    const path = home.write('xdg/buildit/config.yaml', 'debian: {mirror: "http://mirror.example/debian/"}\n');
    const config = await home.load({ environment: { XDG_CONFIG_HOME: dirname(dirname(path)) } });
    expect(config.debian.mirror).toBe('http://mirror.example/debian');
  });

  test('null means the default, and auto one job for each processor', async () => {
    const home = createHome();
    home.write(USER, 'store: null\ndebian: {mirror: ~}\nbuild: {jobs: auto, keep-failed: yes}\n');
    const config = await home.load();
    expect(config.debian.mirror).toBeUndefined();
    expect(config.build).toMatchObject({ jobs: availableParallelism(), keepFailed: true });
  });

  test('paths are relative to their file, ~ is the home', async () => {
    const home = createHome();
    home.write(USER, 'store: ~/packages\nrecipes: [{name: own, path: ../recipes}]\n');
    home.write(PROJECT, 'recipes: [{name: team, path: ./team}]\n');
    const config = await home.load();
    expect(config.store).toBe(join(home.environment.HOME!, 'packages'));
    expect(config.recipes.map(({ name, path }) => [name, path])).toEqual([
      ['team', join(home.directory, '../../team')],
      ['own', join(home.environment.HOME!, '.config/recipes')],
      ['main', expect.stringMatching(/repos\/main$/)],
    ]);
  });

  test('recipes called main take the place of those that ship; one name in two places is an error', async () => {
    const home = createHome();
    home.write(PROJECT, 'recipes: [{name: main, path: ./repos/main}]\n');
    expect((await home.load()).recipes).toEqual([{ name: 'main', path: join(home.directory, '../../repos/main') }]);
    home.write(USER, 'recipes: [{name: main, path: ./mine}]\n');
    expect(await messagesOf(home.load())).toEqual([
      expect.stringMatching(/^configuration-invalid .*expected one place/),
    ]);
  });

  test('a pulled spec adds its recipes, and hides nothing of the project around it', async () => {
    const home = createHome();
    const project = home.write(
      PROJECT,
      `${FOUNDING}recipes: [{name: main, path: ./ours}, {name: team, path: ./team}]\nuse: {with: [ssl]}\n`,
    );
    const spec = home.write(
      'project/containers/web/.buildit-spec.yaml',
      'recipes: [{name: main, path: ./.buildit/recipes/main}]\nuse: {with: [mail]}\nstore: /elsewhere\nbuild: {jobs: 77}\n',
    );
    const config = await home.load();
    expect(config.recipes.map(({ name, path }) => [name, path])).toEqual([
      ['main', join(home.directory, '.buildit/recipes/main')],
      ['team', join(home.directory, '../../team')],
    ]);
    expect(config).toMatchObject({ repository: { name: 'mysuperbinhost' }, use: { with: ['ssl'] } });
    expect(config.build.jobs).not.toBe(77);
    expect(config.origins).toMatchObject({ 'recipes.main': spec, 'recipes.team': project, repository: project });
    home.write(USER, 'recipes: [{name: main, path: ./mine}]\n');
    expect((await home.load()).recipes[0]).toEqual({
      name: 'main',
      path: join(home.directory, '.buildit/recipes/main'),
    });
    home.write('project/containers/web/.buildit-spec.yaml', 'recipes: [{name: main, path: ../../ours}]\n');
    expect(await messagesOf(home.load())).toEqual([expect.stringMatching(/stays inside the directory of this file/)]);
  });

  test('what is read and looked for in vain is witnessed', async () => {
    const home = createHome();
    const project = home.write(PROJECT, FOUNDING);
    const witness = createWitness();
    await loadConfig({ directory: home.directory, flags: {}, environment: home.environment, witness });
    const seen = new Map(witness.sightings().map(({ path, seen }) => [path, seen !== '']));
    expect(seen.get(project)).toBe(true);
    expect(seen.get(join(home.directory, '.buildit-config.yaml'))).toBe(false);
    expect(seen.get(join(home.environment.HOME!, '.config/buildit/config.yaml'))).toBe(false);
    expect(seen.has(join(home.environment.HOME!, '.local/state/buildit/trusted-configs.json'))).toBe(true);
  });
});

describe('a file that came with a directory', () => {
  const GREEDY = `${FOUNDING}  verify: off
  signers: [SHA256:x]
  insecure: yes
store: ./store
trust: {allowed-signers: ./signers}
sign: {key: ./key}
build: {executor: local, jobs: 1}
`;

  test('names places, and decides nothing about trust until it is accepted', async () => {
    const home = createHome();
    home.write(PROJECT, GREEDY);
    const config = await home.load();
    expect(config.repository?.name).toBe('mysuperbinhost');
    expect(config.build.jobs).toBe(1);
    expect(config.store).not.toContain('project');
    expect(config.notices?.map((notice) => notice.split('"')[1])).toEqual([
      'build.executor',
      'repository.insecure',
      'repository.signers',
      'repository.verify',
      'sign',
      'store',
      'trust',
    ]);
    expect(config.notices?.[0]).toMatch(/\.buildit-config\.yaml:14 does not count.*buildit config trust \S/);
  });

  test('counts whole once it is accepted, and asks again when it changes', async () => {
    const home = createHome();
    home.write(PROJECT, GREEDY);
    await home.trust(PROJECT);
    const accepted = await home.load();
    expect(accepted.notices).toEqual([]);
    expect(accepted.store).toBe(join(home.directory, '../../store'));
    home.write(PROJECT, GREEDY.replace('jobs: 1', 'jobs: 3'));
    expect((await home.load()).notices).not.toEqual([]);
  });

  test('accepting one file forgets none of the others, and a damaged memory trusts nothing', async () => {
    const home = createHome();
    home.write(PROJECT, GREEDY);
    home.write('other/.buildit-config.yaml', 'store: x\n');
    await home.trust('other/.buildit-config.yaml');
    await home.trust(PROJECT);
    expect(Object.keys(await readTrustedConfigs(home.environment))).toHaveLength(2);
    home.write('home/.local/state/buildit/trusted-configs.json', '{"format":1,"files":');
    expect(await readTrustedConfigs(home.environment)).toEqual({});
    expect((await home.load()).notices).not.toEqual([]);
  });

  test('verify: require takes trust from nobody and counts', async () => {
    const home = createHome();
    home.write(PROJECT, `${FOUNDING}  verify: require\n`);
    expect((await home.load()).notices).toEqual([]);
  });

  test('may not point to recipes outside of it', async () => {
    const home = createHome();
    home.write(PROJECT, 'recipes: [{name: a, path: ../other}, {name: b, path: /etc}]\n');
    expect(await messagesOf(home.load())).toEqual([
      expect.stringMatching(/^configuration-invalid 1:27 .*stays inside the directory/),
      expect.stringMatching(/^configuration-invalid 1:54 .*stays inside the directory/),
    ]);
    await expect(home.load()).rejects.toMatchObject({
      errors: [
        {
          hint: expect.stringMatching(
            /buildit config trust .*your own configuration, \/.*\/home\/\.config\/buildit\/config\.yaml$/,
          ),
        },
        {},
      ],
    });
  });

  test.each(['~', '~/recipes', '~root/x', '/etc', '..', 'a/../../b', './../x', 'out', 'out/new', 'gone'])(
    'reads no recipes at %s',
    async (path) => {
      const home = createHome();
      mkdirSync(join(home.directory, '../../../elsewhere'));
      symlinkSync('../elsewhere', join(home.directory, '../../out'));
      symlinkSync('/nonexistent/x', join(home.directory, '../../gone'));
      home.write(PROJECT, `recipes: [{name: a, path: "${path}"}]\n`);
      expect(await messagesOf(home.load())).toEqual([
        expect.stringMatching(/^configuration-invalid 1:27 .*stays inside/),
      ]);
      await home.trust(PROJECT);
      if (path !== '~root/x') expect((await home.load()).recipes[0]?.name).toBe('a');
    },
  );

  test.each(['~/x', '/etc', '../x', 'out/shelf'])('reads no binhost at the directory %s', async (path) => {
    const home = createHome();
    symlinkSync('/', join(home.directory, '../../out'));
    const place = `{name: a, download-type: file, download-path: "${path}"}`;
    home.write(PROJECT, `repository: ${place}\nrepositories: [${place.replace('a,', 'b,')}]\n`);
    const { repository, repositories, notices } = await home.load();
    expect([repository?.downloadPath, repositories[0]?.downloadPath]).toEqual([undefined, undefined]);
    expect(notices).toEqual([
      expect.stringMatching(/^"repository\.download-path" in \S+:1 does not count.*buildit config trust/),
      expect.stringMatching(/^"repositories\.download-path" in \S+:2 does not count.*buildit config trust/),
    ]);
  });

  test('refuses a binhost in the home of somebody else', async () => {
    const home = createHome();
    home.write(PROJECT, 'repository: {name: a, download-type: file, download-path: "~root/x"}\n');
    expect(await messagesOf(home.load())).toEqual([expect.stringMatching(/expected a directory, found "~root"/)]);
  });

  test('may name the directory that a push asked for goes to, and directories of its own', async () => {
    const home = createHome();
    const place = 'upload-type: file, upload-path: /srv/shelf, download-type: file, download-path: ./shelf';
    home.write(PROJECT, `repository: {name: a, ${place}}\n`);
    expect(await home.load()).toMatchObject({
      repository: { uploadPath: '/srv/shelf', downloadPath: join(home.directory, '../../shelf') },
      notices: [],
    });
  });

  test('lowers limits and raises none', async () => {
    const home = createHome();
    home.write(USER, 'build: {memory: 2G, keep-failed: yes}\n');
    home.write(PROJECT, 'build: {memory: 3G, timeout: 400h, jobs: 1024, keep-failed: no}\n');
    const { build, notices, origins } = await home.load();
    expect(build).toMatchObject({
      ...{ memoryBytes: 2 * 2 ** 30, timeoutMs: 7_200_000, jobs: availableParallelism(), keepFailed: false },
    });
    expect(origins['build.memory']).toMatch(/home\/\.config/);
    expect(notices?.map((notice) => notice.replace(/ in \S+:1 .*because (.*) and .*/, ' $1'))).toEqual([
      '"build.jobs" it is above the default',
      '"build.timeout" it is above the default',
      '"build.memory" it is above yours',
    ]);
    home.write(PROJECT, 'build: {memory: 1G, timeout: 1h, jobs: 1}\n');
    expect(await home.load()).toMatchObject({
      build: { memoryBytes: 2 ** 30, timeoutMs: 3_600_000, jobs: 1 },
      notices: [],
    });
    home.write(PROJECT, 'build: {memory: 900G, keep-failed: yes}\n');
    expect((await home.load({ environment: { BUILDIT_MEMORY: '8G' } })).build.memoryBytes).toBe(8 * 2 ** 30);
    await home.trust(PROJECT);
    expect(await home.load()).toMatchObject({ build: { memoryBytes: 900 * 2 ** 30, keepFailed: true }, notices: [] });
  });

  test('keeps nothing of failed builds, reads no mirror on the disk and picks no driver', async () => {
    const home = createHome();
    home.write(PROJECT, `build: {keep-failed: yes}\n${FOUNDING.slice(4)}  driver: system\n  timeout: 1h\n`);
    const config = await home.load();
    expect(config.build.keepFailed).toBe(false);
    expect(config.repository).toMatchObject({ driver: 'builtin', timeoutMs: undefined });
    expect(config.notices?.map((notice) => notice.split('"')[1])).toEqual([
      ...['repository.driver', 'repository.timeout', 'build.keep-failed'],
    ]);
    home.write(PROJECT, 'debian: {mirror: "file:///etc"}\n');
    expect(await messagesOf(home.load())).toEqual([
      expect.stringMatching(/^configuration-invalid 1:18 .*by https or http/),
    ]);
  });

  test('decides nothing by a setting that is not on the list', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../schemas/buildit-config.schema.json', import.meta.url), 'utf8'),
    );
    const keys = leafKeys(schema.else, schema.$defs);
    const denied = keys.filter((key) => !Object.hasOwn(PROJECT_SETTINGS, key));
    expect(denied.sort()).toEqual([
      ...['build.executor'],
      ...['repositories', 'repository'].flatMap((place) =>
        ['builders', 'ca', 'driver', 'insecure', 'signers'].map((key) => `${place}.${key}`),
      ),
      ...['sign.key', 'store', 'trust.allowed-signers', 'user-patches'],
    ]);
    expect(Object.keys(PROJECT_SETTINGS).filter((key) => !keys.includes(key))).toEqual([]);
  });

  test('may not be a link to a file elsewhere, whose lines would be shown', async () => {
    const home = createHome();
    const secret = home.write('home/secret', 'password: hunter2\n');
    symlinkSync(secret, join(home.directory, '.buildit-config.yaml'));
    const [message] = await messagesOf(home.load());
    expect(message).toMatch(/found a link that leaves it$/);
  });

  test('that cannot be read stops the run', async () => {
    const home = createHome();
    const path = home.write(PROJECT, FOUNDING);
    chmodSync(path, 0o000);
    if (process.getuid?.() === 0) return;
    expect(await messagesOf(home.load())).toEqual([expect.stringMatching(/^configuration-invalid/)]);
  });
});

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Dotted keys of all settings; those of a list's members have the key of the list. */
function leafKeys(schema: Schema, defs: Readonly<Record<string, Schema>>, prefix = ''): string[] {
  const resolved = schema.$ref === undefined ? schema : defs[schema.$ref.replace('#/$defs/', '')]!;
  const items = resolved.items === undefined ? undefined : leafKeys(resolved.items, defs, prefix);
  if (items !== undefined) return items;
  if (resolved.properties === undefined) return [prefix];
  return Object.entries(resolved.properties).flatMap(([name, member]) =>
    leafKeys(member, defs, prefix === '' ? name : `${prefix}.${name}`),
  );
}

test.each([
  'debian: {mirror: "https://me:hunter2@x.org:bad"}',
  'debian: {mirror: "me:hunter2@x.org"}',
  'registries: {npm: "https://me:hunter2@x.org"}',
  'recipes: [{name: a, git: "https://me:hunter2@x.org/a.git"}]',
  'recipes: [{name: a, git: "https://hunter2@x.org/a.git", path: ./x}]',
])('a password is in no message: %s', async (text) => {
  const home = createHome();
  home.write(USER, `${text}\n`);
  const error = await home.load().catch((reason) => reason);
  const shown = JSON.stringify(
    (error.errors ?? [error]).map(({ message, hint, position }: BuilditError) => [message, hint, position]),
  );
  expect(shown).toContain('"line":1');
  expect(shown).not.toContain('hunter2');
  const address = 'me:hunter2@x.org';
  for (const value of [address, `https://${address}:bad`, `https://${address}`]) {
    const [message] = await messagesOf(createHome().load({ environment: { BUILDIT_DEBIAN_MIRROR: value } }));
    expect(message).not.toContain('hunter2');
  }
});

describe('a user whose HOME is empty or relative', () => {
  test.each([
    { HOME: '' },
    { HOME: '.' },
    { HOME: '', XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' },
    { HOME: './', XDG_CONFIG_HOME: '.config', XDG_STATE_HOME: '.local/state' },
  ])('takes nothing of the project for their own: %j', async (environment) => {
    const home = createHome();
    const before = process.cwd();
    home.write('project/.config/buildit/config.yaml', 'offline: maybe\n');
    home.write(PROJECT, GREEDY_STORE);
    const accepted = { [realpathSync(join(home.directory, '../../.buildit-config.yaml'))]: sha256(GREEDY_STORE) };
    home.write('project/.local/state/buildit/trusted-configs.json', JSON.stringify({ format: 1, files: accepted }));
    process.chdir(join(home.directory, '../..'));
    try {
      const config = await home.load({ environment });
      expect(config.notices?.[0]).toMatch(/^"store" .* does not count/);
      expect(config.trust.allowedSigners).toBe(join(userInfo().homedir, '.config/buildit/allowed_signers'));
    } finally {
      process.chdir(before);
    }
  });

  test.each(['BUILDIT_STORE', 'BUILDIT_ALLOWED_SIGNERS', 'BUILDIT_SIGN_KEY'])('%s must be absolute', async (name) => {
    for (const value of ['x', './x', '.', '~x']) {
      const [message] = await messagesOf(createHome().load({ environment: { [name]: value } }));
      expect(message).toMatch(/^configuration-invalid .*absolute path/);
    }
  });
});

const GREEDY_STORE = 'store: ./store\n';

describe('mistakes', () => {
  test.each([
    ['repositry: {name: x}', '1:1', /unknown key "repositry"/],
    ['repository: {name: x, upload-typ: ssh}', '1:23', /unknown key "upload-typ"/],
    ['repository: {upload-type: ssh}', '1:13', /expected the key "name"/],
    ['repository: {name: ../x}', '1:20', /a name such as mysuperbinhost/],
    ['repository: {name: x, upload-type: rsync}', '1:36', /expected ssh or file, found "rsync"/],
    ['repository: {name: x, upload-type: ssh, upload-path: -oProxyCommand=id/x}', '1:54', /the name of a host/],
    ['repository: {name: x, upload-type: ssh, upload-path: "a@-oX/x"}', '1:54', /the name of a host/],
    ['repository: {name: x, download-type: https, download-path: "h/x?y"}', '1:60', /the character/],
    ['repository: {name: x, upload-path: a@b/c}', '1:36', /expected "upload-type" beside it/],
    ['recipes: [{name: team, git: "https://x.org/r", path: x}]', '1:29', /Cannot use "git": expected it alone/],
    ['recipes: [{name: team}]', '1:18', /expected a path or a git repository/],
    ['build: {jobs: 0}', '1:15', /from 1 to 1024/],
    ['build: {jobs: many}', '1:15', /from 1 to 1024, or auto/],
    ['build: {timeout: soon}', '1:18', /2h, 30m or 90s/],
    ['build: {memory: 4X}', '1:17', /4G or 512M/],
    ['build: {executor: slurm}', '1:19', /Cannot use "slurm": .*not support it yet/],
    ['debian: {mirror: "ftp://x.org"}', '1:18', /URL of a mirror/],
    ['debian: {mirror: "https://u:p@x.org"}', '1:18', /URL of a mirror without user and password/],
    ['use: {with: [-x]}', '1:14', /a flag name such as http2/],
    ['- a', '1:1', /expected a mapping, found a list/],
    ['a: b\na: c', '2:1', /found "a" again/],
  ])('%s', async (text, place, message) => {
    const home = createHome();
    home.write(USER, `${text}\n`);
    const [first = '', ...others] = await messagesOf(home.load());
    expect(first).toMatch(message);
    expect(first.startsWith(`configuration-invalid ${place} `), first).toBe(true);
    expect(others).toEqual([]);
  });

  test.each([
    ['BUILDIT_JOBS', '0'],
    ['BUILDIT_TIMEOUT', 'x'],
    ['BUILDIT_MEMORY', '-1'],
    ['BUILDIT_OFFLINE', 'perhaps'],
    ['BUILDIT_DEBIAN_MIRROR', 'mirror'],
  ])('%s=%s', async (name, value) => {
    const [message] = await messagesOf(createHome().load({ environment: { [name]: value } }));
    expect(message).toMatch(new RegExp(`^configuration-invalid .*Cannot use ${name}: expected .*found "${value}"$`));
  });
});
