import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseContainerLine } from '../../src/binhost/container-document.ts';
import { splitPointer } from '../../src/binhost/pointer.ts';
import { sha256 } from '../../src/model/digest.ts';
import { requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { writeTinyContainer } from '../support/tiny-container.ts';

const needs = requires('bwrap', 'user namespaces', 'archive', 'ssh-keygen');

/** A user with a key and a store of their own, whose configuration names a place. */
function userAt(home: string, place: string) {
  const name = home.split('/').at(-1)!;
  for (const path of ['.ssh', '.config/buildit']) mkdirSync(join(home, path), { recursive: true });
  const key = join(home, '.ssh/id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@example.org`, '-f', key]);
  writeFileSync(
    join(home, '.config/buildit/config.yaml'),
    `repository: {name: shelf, upload-type: file, upload-path: ${place}, download-type: file, download-path: ${place}}\n`,
  );
  const environment = { PATH: process.env.PATH!, HOME: home, BUILDIT_STORE: join(home, 'store'), LC_ALL: 'C.UTF-8' };
  const run = (...argv: string[]) => runBuildit(argv, { cwd: home, environment });
  const json = async (...argv: string[]) => JSON.parse((await run(...argv, '--json')).stdout);
  return { home, key, environment, run, json, at: (path: string) => join(home, path) };
}

/** Outside of a test, where nothing temporary is cleaned up. */
function setUp({ home, environment }: ReturnType<typeof userAt>, ...argv: readonly string[]): void {
  const program = [`${installation}/bin/buildit.js`, ...argv];
  execFileSync(process.execPath, program, { cwd: home, env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
}

const ACI = `- image:
    type: aci
    content: |
      {"acKind": "ImageManifest", "acVersion": "0.6.1", "name": "{{ name }}",
       "labels": [{"name": "os", "value": "{{ os }}"}, {"name": "arch", "value": "{{ arch }}"}]}
`;

function writeAuthoredContainer(directory: string): void {
  writeTinyContainer(directory);
  const path = join(directory, 'container.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace('{name:', '{author: Sysadmin42, name:') + ACI);
}

needs.describe('a binhost', () => {
  let work: string;
  let place: string;
  let alice: ReturnType<typeof userAt>;
  /** Trusts alice. */
  let bob: ReturnType<typeof userAt>;
  /** Trusts nobody. */
  let carol: ReturnType<typeof userAt>;

  beforeAll(() => {
    work = mkdtempSync(join(tmpdir(), 'buildit-test-binhost-'));
    chmodSync(work, 0o755);
    place = join(work, 'place');
    [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => userAt(join(work, name), place)) as [
      ...[typeof alice, typeof alice, typeof alice],
    ];
    writeAuthoredContainer(alice.at('tiny'));
    setUp(alice, 'push', 'tiny');
    setUp(bob, 'key', 'trust', `${alice.key}.pub`);
    cpSync(place, `${place}.published`, { recursive: true, preserveTimestamps: true });
  });
  afterAll(() => rm(work, { recursive: true, force: true, maxRetries: 3 }));

  /** Each test begins with the place as alice left it, and with a reader's memory of nothing later. */
  beforeEach(() => {
    rmSync(place, { recursive: true, force: true });
    cpSync(`${place}.published`, place, { recursive: true, preserveTimestamps: true });
    for (const { home } of [bob, carol]) rmSync(join(home, 'store/notes'), { recursive: true, force: true });
  });

  const filesAt = (path: string) => readdirSync(join(place, path));
  const ageAll = () => {
    for (const path of readdirSync(place, { recursive: true }) as string[]) utimesSync(join(place, path), 1e9, 1e9);
  };

  describe('pull', () => {
    test('brings the spec, from which the same HASHes are built', async () => {
      const { exitCode, stdout } = await bob.run('pull', 'Sysadmin42/tiny', 'spec');
      expect({ exitCode, stdout }).toEqual({
        exitCode: 0,
        stdout: "spec: Sysadmin42/tiny-1.0.0 from 'shelf', 6 files\n",
      });
      const hashes = await alice.json('hash', 'tiny');
      expect(hashes.packages).toHaveLength(1);
      expect(await bob.json('hash', 'spec')).toEqual(hashes);
      const built = await bob.run('spec');
      expect(built.stdout).toContain("Found HASH at 'shelf'... [OK]");
      const digestOf = (path: string) => JSON.parse(readFileSync(path, 'utf8')).manifests[0].digest;
      expect(digestOf(bob.at('spec/out/oci/index.json'))).toBe(digestOf(alice.at('tiny/out/oci/index.json')));
    });

    test('hides nothing of the configuration around the new directory', async () => {
      const project = bob.at('project');
      mkdirSync(project, { recursive: true });
      writeFileSync(join(project, '.buildit-config.yaml'), 'build: {jobs: 1}\n');
      const { stderr } = await bob.run('pull', 'Sysadmin42/tiny', 'project/spec');
      expect(stderr).toContain(
        'recipes: project/spec/.buildit-spec.yaml; all other settings: project/.buildit-config.yaml and',
      );
      const { build, recipes } = await bob.json('config', 'show', 'project/spec');
      expect(build.jobs).toBe(1);
      expect(recipes).toEqual([{ name: 'main', path: join(project, 'spec/.buildit/recipes/main') }]);
      expect(await bob.json('hash', 'project/spec')).toEqual(await alice.json('hash', 'tiny'));
    });

    test('takes a version with - or :, a bare name, and says what was fetched as JSON', async () => {
      for (const what of ['Sysadmin42/tiny:1.0.0', 'tiny-1.0.0']) {
        const directory = join(temporaryDirectory(), 'new');
        expect(await bob.json('pull', what, directory)).toMatchObject({
          ...{ title: 'Sysadmin42/tiny', version: '1.0.0', place: 'shelf', directory },
          packages: [{ name: 'test/tiny', version: '1.0.0' }],
        });
      }
    });

    test('refuses a directory with something in it, and leaves it as it was', async () => {
      const directory = temporaryDirectory();
      writeFileSync(join(directory, 'mine'), '');
      const { exitCode, stderr } = await bob.run('pull', 'tiny', directory);
      expect(exitCode).toBe(73);
      expect(stderr).toContain('expected a new or an empty directory, found files in it');
      expect(readdirSync(directory)).toEqual(['mine']);
    });

    test('does not take what a stranger signed', async () => {
      const { exitCode, stdout, stderr } = await carol.run('pull', 'tiny', 'spec');
      expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
      expect(stderr).toContain('buildit key trust');
      expect(readdirSync(carol.home)).not.toContain('spec');
    });

    test('does not take a changed document, spec or manifest', async () => {
      const document = filesAt('blobs/sha256')
        .map((name) => join(place, 'blobs/sha256', name))
        .find((path) => readFileSync(path, 'utf8').includes('"kind":"container"'))!;
      const { spec, oci } = parseContainerLine(splitPointer(readFileSync(document)).line);
      rmSync(bob.at('store/blobs'), { recursive: true, force: true });
      for (const [digest, words, code] of [
        [spec.digest, [], 65],
        [oci[0]!.digest, ['--image'], 65],
        [sha256(readFileSync(document)), [], 77],
      ] as const) {
        const path = join(place, 'blobs/sha256', digest);
        const right = readFileSync(path);
        const wrong = Buffer.from(right);
        wrong[100]! ^= 1;
        writeFileSync(path, wrong);
        const { exitCode, stdout } = await bob.run('pull', 'tiny', 'changed', ...words);
        expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
        expect(readdirSync(bob.home).filter((name) => name.includes('changed'))).toEqual([]);
        writeFileSync(path, right);
      }
    });

    test('brings the image as it was published, with every blob verified', async () => {
      const { exitCode } = await bob.run('pull', '--image', 'tiny', 'image');
      expect(exitCode).toBe(0);
      const [ours, theirs] = [bob.at('image'), alice.at('tiny/out/oci')];
      expect(readFileSync(join(ours, 'index.json'))).toEqual(readFileSync(join(theirs, 'index.json')));
      const blobs = readdirSync(join(ours, 'blobs/sha256'));
      expect(blobs.sort()).toEqual(readdirSync(join(theirs, 'blobs/sha256')).sort());
      for (const name of blobs) expect(sha256(readFileSync(join(ours, 'blobs/sha256', name)))).toBe(name);
    });

    test('brings the ACI where that is asked for', async () => {
      const { exitCode } = await bob.run('pull', 'tiny', '--output', 'type=aci,dest=tiny.aci');
      expect(exitCode).toBe(0);
      const [built] = readdirSync(alice.at('tiny/out')).filter((name) => name.endsWith('.aci'));
      expect(readFileSync(bob.at('tiny.aci'))).toEqual(readFileSync(alice.at(`tiny/out/${built}`)));
    });

    test.each<[string[], number, string]>([
      [['tniy'], 66, 'did you mean'],
      [['tiny', '--from', 'sehlf'], 78, 'did you mean "shelf"?'],
      [['tiny', '--offline'], 64, 'found --offline'],
      [['tiny', '--output', 'type=docker,dest=x'], 64, 'expected type=oci or type=aci'],
      [['tiny', '--platform', 'linux/arm64'], 66, 'expected a container of that name'],
    ])('%j ends with %i', async (argv, code, said) => {
      const { exitCode, stderr } = await bob.run('pull', ...argv);
      expect(exitCode).toBe(code);
      expect(stderr).toContain(said);
    });
  });

  describe('the first push', () => {
    test('makes the same place as init', async () => {
      const made = bob.at('made');
      expect((await bob.run('binhost', 'init', '--name', 'shelf', made)).exitCode).toBe(0);
      const files = (directory: string) =>
        readdirSync(directory)
          .filter((name) => !['blobs', 'packages', 'specs', 'aci', 'pins', '.incoming'].includes(name))
          .sort();
      expect(files(place)).toEqual(files(made));
      const signers = readFileSync(join(place, 'keys/allowed_signers'), 'utf8');
      const [type, key] = readFileSync(`${alice.key}.pub`, 'utf8').split(' ');
      expect(signers).toBe(`alice@example.org namespaces="buildit-package,buildit-index" ${type} ${key}\n`);
    });

    test('of another person adds who that is, once', async () => {
      for (const _ of [1, 2]) {
        cpSync(alice.at('tiny'), bob.at('theirs'), { recursive: true });
        const { exitCode, stderr } = await bob.run('push', 'theirs');
        expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
      }
      const signers = readFileSync(join(place, 'keys/allowed_signers'), 'utf8').trimEnd().split('\n');
      expect(signers.map((line) => line.split(' ')[0])).toEqual(['alice@example.org', 'bob@example.org']);
    });

    test('and init refuse a directory of something else, before anything is built', async () => {
      rmSync(place, { recursive: true });
      mkdirSync(place);
      writeFileSync(join(place, 'index.html'), 'my own page');
      for (const argv of [
        ['push', 'tiny'],
        ['binhost', 'init'],
      ]) {
        const { exitCode, stderr, stdout } = await alice.run(...argv);
        expect(exitCode).toBe(73);
        expect(stderr).toContain('expected a new or an empty directory, found index.html');
        expect(stdout).not.toContain('Processing');
      }
      expect(filesAt('.')).toEqual(['index.html']);
    });
  });

  describe('search and show', () => {
    test('find packages and containers by a part of the name or a pattern', async () => {
      const names = async (...argv: string[]) =>
        (await bob.json('search', ...argv)).found
          .filter(({ kind }: { kind: string }) => kind !== 'recipe')
          .map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`);
      expect(await names()).toEqual(['container Sysadmin42/tiny', 'package test/tiny']);
      expect(await names('TEST')).toEqual(['package test/tiny']);
      expect(await names('sysadmin42/*')).toEqual(['container Sysadmin42/tiny']);
      expect(await names('t?ny')).toEqual([]);
      const { stdout } = await bob.run('search', 'tiny');
      expect(stdout).toMatch(
        /^KIND +NAME +PLATFORM +AT .*\ncontainer +Sysadmin42\/tiny-1\.0\.0 .*\npackage .*\n2 found\n$/,
      );
    });

    test('tell who built a package and whether that is trusted', async () => {
      const { packages, containers } = await bob.json('show', 'tiny');
      const fingerprint = /SHA256:\S+/.exec(execFileSync('ssh-keygen', ['-lf', alice.key], { encoding: 'utf8' }))![0];
      const signature = { fingerprint, principal: 'alice@example.org', state: 'trusted' };
      expect(packages.find(({ place: at }: { place?: string }) => at === 'shelf')).toMatchObject({
        ...{ name: 'test/tiny', version: '1.0.0', signature },
        layers: [{ output: 'main' }],
      });
      expect(containers).toMatchObject([
        {
          ...{ title: 'Sysadmin42/tiny', version: '1.0.0', place: 'shelf', signature },
          images: [
            { type: 'oci', tags: ['1.0.0'] },
            { type: 'aci', path: 'aci/linux/amd64/Sysadmin42/tiny-1.0.0.aci' },
          ],
          packages: [{ name: 'test/tiny' }],
        },
      ]);
      const byHash = await bob.run('show', packages[0].hash.slice(0, 12));
      expect(byHash.stdout).toContain(`alice@example.org ${fingerprint}, trusted`);
    });

    test('show what was built here without any place', async () => {
      const { exitCode, stdout } = await alice.run('show', 'test/tiny', '--offline');
      expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^here /m) });
      const unknown = await bob.run('show', 'test/tniy');
      expect(unknown).toMatchObject({ exitCode: 66, stderr: expect.stringContaining('did you mean "test/tiny"?') });
    });

    test('look at recipes alone where there is no place, or no network', async () => {
      const found = { exitCode: 0, stdout: expect.stringMatching(/^app-misc\/hello +2\.10 +main /m), stderr: '' };
      expect(await runBuildit(['search', 'greets'])).toMatchObject(found);
      expect(await bob.run('search', 'greets', '--offline')).toMatchObject(found);
    });
  });

  describe('looking after it', () => {
    test('init makes a place that publishes may go to, and takes an address later', async () => {
      const directory = join(temporaryDirectory(), 'stock');
      const made = await alice.json('binhost', 'init', directory);
      expect(made).toMatchObject({ identity: { name: 'stock' }, generation: 1 });
      expect(readFileSync(join(directory, 'keys/allowed_signers'), 'utf8')).toMatch(/^alice@example\.org namespaces=/);
      const again = await alice.json('binhost', 'init', directory, '--url', 'https://example.org/stock/');
      expect(again).toMatchObject({
        identity: { id: made.identity.id, url: 'https://example.org/stock' },
        generation: 1,
      });
      expect(readFileSync(join(directory, 'index.html'), 'utf8')).toContain(
        '<meta name="ac-discovery" content="example.org/stock ',
      );
      expect(JSON.parse(readFileSync(join(directory, 'buildit.json'), 'utf8'))).toMatchObject({ name: 'stock' });
      expect(readFileSync(join(directory, 'keys/allowed_signers'), 'utf8').trim().split('\n')).toHaveLength(1);
      expect(await alice.run('binhost', 'verify', directory)).toMatchObject({ exitCode: 0 });
    });

    test('init refuses a name and an address that are none', async () => {
      for (const words of [
        ['--name', 'No Name'],
        ['--url', 'http://example.org/'],
        ['--url', 'https://e.org/?q'],
      ])
        expect(await alice.run('binhost', 'init', 'x', ...words)).toMatchObject({ exitCode: 64 });
    });

    test('ls lists what the newest index names', async () => {
      const { stdout } = await bob.run('binhost', 'ls');
      expect(stdout).toMatch(/^container +Sysadmin42\/tiny-1\.0\.0 /m);
      expect(stdout).toMatch(/generation 2: 1 package, 1 container\n$/);
      expect(await bob.run('binhost', 'ls', 'sehlf')).toMatchObject({
        ...{ exitCode: 66, stderr: expect.stringContaining('did you mean "shelf"?') },
      });
    });

    test('verify ends with 0 for a sound place and with 65 for another, and names the file', async () => {
      expect(await bob.run('binhost', 'verify', '--deep')).toMatchObject({ exitCode: 0 });
      const { manifests } = JSON.parse(readFileSync(join(place, 'index.json'), 'utf8'));
      rmSync(join(place, 'blobs/sha256', manifests[0].digest.slice('sha256:'.length)));
      const report = await bob.run('binhost', 'verify', '--json');
      const { findings, isSound } = JSON.parse(report.stdout);
      expect({ exitCode: report.exitCode, isSound }).toEqual({ exitCode: 65, isSound: false });
      expect(findings.map(({ kind }: { kind: string }) => kind)).toEqual(['missing']);
    });

    test('pin keeps a container from rm, and gc keeps what is pinned', async () => {
      expect(await alice.run('binhost', 'pin', 'Sysadmin42/tiny')).toMatchObject({ exitCode: 0 });
      const refused = await alice.run('binhost', 'rm', 'Sysadmin42/tiny');
      expect(refused).toMatchObject({ exitCode: 75, stderr: expect.stringContaining('binhost pin --remove') });
      expect((await alice.json('binhost', 'pin', '--remove', 'Sysadmin42/tiny-1.0.0')).pins).toHaveLength(1);
      expect(await alice.run('binhost', 'rm', 'Sysadmin42/tiny')).toMatchObject({ exitCode: 0 });
    });

    test('rm and gc take away what nobody else refers to, and readers go on', async () => {
      const before = filesAt('blobs/sha256').length;
      const { hash } = (await alice.json('hash', 'tiny')).packages[0];
      expect((await alice.json('binhost', 'rm', 'Sysadmin42/tiny:1.0.0')).containers).toHaveLength(1);
      ageAll();
      expect(await alice.run('binhost', 'gc')).toMatchObject({ exitCode: 0 });
      const between = filesAt('blobs/sha256').length;
      expect(between).toBeLessThan(before);
      expect(await bob.run('binhost', 'verify', '--deep')).toMatchObject({ exitCode: 0 });
      expect(
        (await bob.json('show', 'tiny')).packages.some(({ place: at }: { place?: string }) => at === 'shelf'),
      ).toBe(true);
      expect((await alice.json('binhost', 'rm', hash)).packages).toHaveLength(1);
      ageAll();
      expect((await alice.json('binhost', 'gc')).categories).toMatchObject([{ kind: 'blobs', count: between }]);
      expect(filesAt('blobs/sha256')).toEqual([]);
      expect(await alice.run('push', 'tiny')).toMatchObject({ exitCode: 0 });
      expect(filesAt('blobs/sha256').length).toBeGreaterThan(0);
      expect(await bob.run('binhost', 'verify', '--deep')).toMatchObject({ exitCode: 0 });
    });

    test('gc keeps the Debian packages that the locks of a spec pin', async () => {
      ageAll();
      const before = filesAt('blobs/sha256');
      expect(await alice.run('binhost', 'gc')).toMatchObject({ exitCode: 0 });
      expect(filesAt('blobs/sha256')).toEqual(before);
    });

    test('rm leaves what others published, unless forced', async () => {
      const refused = await bob.run('binhost', 'rm', 'Sysadmin42/tiny');
      expect(refused).toMatchObject({ exitCode: 77, stderr: expect.stringContaining('--force removes them too') });
      expect(await bob.run('binhost', 'rm', '--force', 'Sysadmin42/tiny')).toMatchObject({ exitCode: 0 });
      expect(await bob.run('binhost', 'rm', 'Sysadmin42/tiny')).toMatchObject({ exitCode: 66 });
    });

    test('serve shows it over http until it is stopped', async () => {
      const argv = [`${installation}/bin/buildit.js`, 'binhost', 'serve', '--port', '0'];
      const server = spawn(process.execPath, argv, { cwd: alice.home, env: alice.environment });
      const [line] = (await once(server.stdout.setEncoding('utf8'), 'data')) as [string];
      const page = await (await fetch(line.trim())).text();
      expect(page).toContain('Sysadmin42/tiny');
      server.kill('SIGINT');
      await once(server, 'close');
    });
  });
});
