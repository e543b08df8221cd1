import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import type { ContainerLock, DebianPin, RepositoryLock } from '../../src/model/lock.ts';
import { requires } from '../support/requires.ts';
import { MAIN } from './support/every-recipe.ts';
import { imageDigests } from './support/image-digests.ts';
import { openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';

/** The roots of builds are fetched and unpacked first; the snapshot service may have to be given up. */
const BUILD_MS = 600_000;

const place = openPlace();

/** A mirror that has nothing, and whose paths were asked for. */
const asked: string[] = [];
const emptyMirror = createServer((request, response) => {
  asked.push(request.url!);
  response.writeHead(404).end();
});

beforeAll(() => new Promise<void>((resolve) => emptyMirror.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  emptyMirror.closeAllConnections();
  emptyMirror.close();
});

const mirrorUrl = () => `http://127.0.0.1:${(emptyMirror.address() as AddressInfo).port}/debian`;

/** Everybody shares a store: what it holds was fetched by digest, and a vanished package is in nobody's. */
function openSomebody(name: string, definition: readonly string[]): Person {
  const home = join(place.path, name);
  const container = join(home, 'box');
  mkdirSync(container, { recursive: true });
  writeFileSync(join(container, 'container.yaml'), `${definition.join('\n')}\n`);
  return { user: undefined, home, store: join(place.path, 'store'), container };
}

function run(person: Person, ...args: readonly string[]) {
  const environment = { BUILDIT_DEBIAN_MIRROR: mirrorUrl() };
  return runInstalled({ installation: place.installation(), person, args, environment });
}

function readLock<Lock>(directory: string): Lock {
  return JSON.parse(readFileSync(join(directory, 'buildit.lock'), 'utf8')) as Lock;
}

/** Pins a version that no archive has, as a lock of former times would. */
function doctorLock(directory: string, change: (lock: Record<string, Record<string, DebianPin>>) => void): string {
  const lock = readLock<Record<string, Record<string, DebianPin>>>(directory);
  change(lock);
  const text = `${JSON.stringify(lock, undefined, 2)}\n`;
  writeFileSync(join(directory, 'buildit.lock'), text);
  return text;
}

function formerPin(pin: DebianPin): DebianPin {
  const version = `${pin.version}~before`;
  return {
    ...pin,
    version,
    path: `${pin.path.slice(0, pin.path.lastIndexOf('/'))}/${pin.name}_${version}_${pin.architecture}.deb`,
    sha256: sha256(`a former ${pin.name}`),
  };
}

const BOX = '- vars: {name: box, version: 1.0.0, os: linux, arch: amd64}';
const IMAGE = ['- base: none', '- package: {type: debian, name: hostname}', '- image: {type: oci}'];
/** The snapshot service may be out of reach where the tests run; then that is said. */
function replacement({ name, version }: DebianPin, present: DebianPin): RegExp {
  const [old, next] = [version, present.version].map((text) => text.replaceAll(/[.+]/g, '\\$&'));
  return new RegExp(
    `^warning: ${name} ${old} has vanished from every (archive|mirror, and [a-z ]+): taking ${next}$`,
    'm',
  );
}

const NEVER_A_TRACE = /^\s+at \S+ \(/m;

requires('archive').describe('a package of the image that has vanished from every archive', () => {
  let person: Person;
  let present: DebianPin;
  let former: DebianPin;
  let doctored: string;

  const doctor = () =>
    doctorLock(person.container, (lock) => {
      lock.debian!.hostname = former;
    });

  beforeAll(async () => {
    person = openSomebody('image', [BOX, ...IMAGE]);
    const locked = await run(person, 'lock', 'box/');
    expect(locked, locked.stderr).toMatchObject({ exitCode: 0 });
    present = readLock<ContainerLock>(person.container).debian.hostname!;
    former = formerPin(present);
    doctored = doctor();
  }, BUILD_MS);

  test.each(['build', 'fetch'])(
    'ends a %s --locked with every place that was asked, and changes nothing',
    async (verb) => {
      const refused = await run(person, verb, '--locked', 'box/');
      expect(refused.exitCode, refused.stderr).toBe(69);
      expect(refused.stderr).toContain(`Cannot fetch hostname ${former.version}`);
      expect(refused.stderr).toContain(`${mirrorUrl()}/${former.path}: 404`);
      expect(refused.stderr).toMatch(/https:\/\/snapshot\.debian\.org\/archive\/debian\/\d{8}T\d{6}Z\/pool\//);
      expect(refused.stderr.split(former.path).length - 1).toBeGreaterThanOrEqual(3);
      expect(refused.stderr).toMatch(/^ {2}hint: .*without --locked/m);
      expect(refused.stderr).not.toMatch(NEVER_A_TRACE);
      expect(asked).toContain(`/debian/${former.path}`);
      expect(readFileSync(join(person.container, 'buildit.lock'), 'utf8')).toBe(doctored);
    },
    BUILD_MS,
  );

  test(
    'is replaced by the present one, said loudly, and nothing else moves',
    async () => {
      const built = await run(person, 'build', 'box/');
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
      expect(built.stderr).toMatch(replacement(former, present));
      expect(built.stderr).not.toMatch(NEVER_A_TRACE);
      const before = JSON.parse(doctored) as ContainerLock;
      const after = readLock<ContainerLock>(person.container);
      expect(after).toEqual({ ...before, debian: { ...before.debian, hostname: present } });
      const digests = imageDigests(person);
      const again = await run(person, 'build', '--frozen', 'box/');
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(again.stderr).not.toContain('vanished');
      expect(imageDigests(person)).toEqual(digests);
    },
    BUILD_MS,
  );

  test(
    'is replaced by a fetch too',
    async () => {
      doctor();
      const fetched = await run(person, 'fetch', 'box/');
      expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
      expect(fetched.stderr).toContain('has vanished');
      expect(readLock<ContainerLock>(person.container).debian.hostname).toEqual(present);
    },
    BUILD_MS,
  );

  test(
    'is not replaced where exactly that version is asked for',
    async () => {
      const exact = openSomebody('exact', [
        BOX,
        '- base: none',
        `- package: {type: debian, name: hostname, version: ${former.version}}`,
        '- image: {type: oci}',
      ]);
      const text = doctored.replace('image debian/hostname', `image debian/hostname=${former.version}`);
      writeFileSync(join(exact.container, 'buildit.lock'), text);
      const refused = await run(exact, 'build', 'box/');
      expect(refused.exitCode, refused.stderr).toBe(69);
      expect(refused.stderr).toContain(`Cannot fetch hostname ${former.version}`);
      expect(refused.stderr).toContain('container.yaml asks for exactly');
      expect(readFileSync(join(exact.container, 'buildit.lock'), 'utf8')).toBe(text);
    },
    BUILD_MS,
  );
});

requires('archive', 'bwrap', 'user namespaces').describe('a package of a build root that has vanished', () => {
  let person: Person;
  let present: DebianPin;
  let former: DebianPin;
  let repositoryLock: string;

  beforeAll(() => {
    person = openSomebody('root', [
      BOX,
      '- base: none',
      '- package: {type: embedded, path: ./pkgs/tiny}',
      '- image: {type: oci}',
    ]);
    const recipes = join(person.container, 'recipes');
    cpSync(MAIN, recipes, { recursive: true });
    writeFileSync(join(person.container, '.buildit-config.yaml'), 'recipes: [{name: main, path: ./recipes}]\n');
    mkdirSync(join(person.container, 'pkgs/tiny'), { recursive: true });
    writeFileSync(
      join(person.container, 'pkgs/tiny/pkg.yaml'),
      [
        'name: own/tiny',
        'version: 1.0',
        'license: MIT',
        'class: none',
        'root: minimal',
        'phases: {install: \'mkdir -p "$DESTDIR/usr"; dash -c "echo built" >"$DESTDIR/usr/tiny"\'}',
      ].join('\n'),
    );
    present = readLock<RepositoryLock>(recipes).roots.dash!;
    former = formerPin(present);
    repositoryLock = doctorLock(recipes, (lock) => {
      lock.roots!.dash = former;
    });
  });

  test(
    'ends a build --locked',
    async () => {
      // The lock is there and up to date: it is no reason to refuse.
      const planned = await run(person, 'plan', 'box/');
      expect(planned, planned.stderr).toMatchObject({ exitCode: 0 });
      const refused = await run(person, 'build', '--locked', 'box/');
      expect(refused.exitCode, refused.stderr).toBe(69);
      expect(refused.stderr).toContain(`Cannot fetch dash ${former.version}`);
      expect(refused.stderr).toContain(`${mirrorUrl()}/${former.path}: 404`);
      expect(refused.stderr).not.toMatch(NEVER_A_TRACE);
    },
    BUILD_MS,
  );

  test(
    "is overridden in the container's lock, and the repository's stays as it is",
    async () => {
      const built = await run(person, 'build', 'box/');
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
      expect(built.stderr).toMatch(replacement(former, present));
      expect(readLock<ContainerLock>(person.container).overrides).toEqual({
        [`dash=${former.version}`]: present,
      });
      expect(readFileSync(join(person.container, 'recipes/buildit.lock'), 'utf8')).toBe(repositoryLock);
      const digests = imageDigests(person);
      const again = await run(person, 'build', '--frozen', 'box/');
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(again.stdout).toContain('Found HASH locally... [OK]');
      expect(imageDigests(person)).toEqual(digests);
    },
    BUILD_MS,
  );
});
