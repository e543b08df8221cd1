import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { imageDigests } from './support/image-digests.ts';
import { repository } from './support/installation.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { environmentOf } from './support/run-installed.ts';

const INSTALL_MS = 300_000;
const BUILD_MS = 1_200_000;

const place = openPlace();

interface PackedFile {
  readonly path: string;
  readonly mode: number;
}

/** Packs as `npm publish` does; the scripts would compile anew what other tests are using. */
function pack(...options: readonly string[]): { readonly filename: string; readonly files: readonly PackedFile[] } {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...options], {
    cwd: repository,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output)[0];
}

function filesBelow(directory: string): string[] {
  return readdirSync(join(repository, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length + 1));
}

requires('npm').test('the npm package holds the program, its schemas, keys and recipes, and nothing else', () => {
  // The tests' own note on what they compiled.
  const packed = pack('--dry-run').files.filter(({ path }) => path !== 'dist/.state');
  const compiled = filesBelow('src').map((path) => path.replace(/^src/, 'dist').replace(/\.ts$/, '.js'));
  const validators = filesBelow('schemas').map((path) =>
    path.replace(/^schemas\/(.*)\.schema\.json$/, 'dist/document/validators/$1.js'),
  );
  const meant = [
    ...['LICENSE', 'README.md', 'package.json', 'bin/buildit.js'],
    ...compiled.filter((path) => path !== 'dist/README.md'),
    ...validators,
    ...['classes', 'keys', 'repos', 'schemas'].flatMap(filesBelow),
  ];
  expect(packed.map(({ path }) => path).sort()).toEqual(meant.sort());
  expect(packed.find(({ path }) => path === 'bin/buildit.js')!.mode & 0o111).toBe(0o111);
});

requires('npm', 'archive', 'user namespaces').describe(
  'installed from npm in an empty folder outside the clone',
  () => {
    let folder: string;
    let person: Person;

    const run = (...args: readonly string[]) =>
      spawnSync(join(folder, 'node_modules/.bin/buildit'), args, {
        cwd: person.home,
        env: environmentOf({ person }),
        encoding: 'utf8',
      });

    beforeAll(() => {
      folder = join(place.path, 'elsewhere');
      mkdirSync(folder);
      const { filename } = pack('--pack-destination', place.path);
      writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
      const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
      execFileSync('npm', [...install, join(place.path, filename)], { cwd: folder, stdio: 'ignore' });
      person = openPerson(place, 'somebody', 'hello', undefined);
    }, INSTALL_MS);

    test('it needs no script, no compiler and nothing of the clone', () => {
      const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
      expect(run('--version')).toMatchObject({ status: 0, stdout: expect.stringContaining(version) });
      expect(realpathSync(join(folder, 'node_modules/buildit'))).toBe(join(folder, 'node_modules/buildit'));
      expect(existsSync(join(folder, 'node_modules/typescript'))).toBe(false);
    });

    test('doctor finds the host in order', () => {
      const examined = run('doctor');
      expect(examined.status, examined.stdout + examined.stderr).toBe(0);
    });

    test('the recipes came along: a new container is planned with them', () => {
      const created = run('new', 'container', 'greeter');
      expect(created.status, created.stderr).toBe(0);
      const planned = run('plan', 'greeter', '--json');
      expect(planned.status, planned.stderr).toBe(0);
      expect(JSON.parse(planned.stdout).steps.length).toBeGreaterThan(0);
    });

    test('the plan is the one of the clone, HASH by HASH', () => {
      const planned = run('plan', 'hello', '--json', '--locked');
      expect(planned.status, planned.stderr).toBe(0);
      const ofClone = spawnSync(
        process.execPath,
        [join(repository, 'bin/buildit.js'), 'plan', 'hello', '--json', '--locked'],
        {
          cwd: person.home,
          env: environmentOf({ person }),
          encoding: 'utf8',
        },
      );
      expect(JSON.parse(planned.stdout)).toEqual(JSON.parse(ofClone.stdout));
    });

    requires('long tests').test(
      'it builds',
      () => {
        const built = run('hello', '--locked');
        expect(built.status, built.stderr).toBe(0);
        expect(Object.keys(imageDigests(person))).toHaveLength(1);
      },
      BUILD_MS,
    );
  },
);
