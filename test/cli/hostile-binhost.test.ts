import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { makeKey } from '../support/sshd.ts';
import { sharedStore, writeTinyContainer } from '../support/tiny-container.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';

const store = sharedStore();
const needs = requires('bwrap', 'user namespaces', 'archive', 'ssh-keygen');

needs.describe('with a hostile binhost', () => {
  let once: Promise<Published> | undefined;
  const publishedPlace = () => {
    once ??= publish();
    return once;
  };

  needs.test('that is none at all, the package is built, and the image is this one', async () => {
    const published = await publishedPlace();
    const { stdout, digest, stderr } = await buildWith(published, (place) => rmSync(place, { recursive: true }));
    expect(stderr).not.toContain('warning');
    expect(stdout).toContain('Defaulting to local build... [OK]');
    expect(digest).toBe(published.digest);
  });

  needs.test('that tells the truth, nothing is built, and the image is the same', async () => {
    const published = await publishedPlace();
    const { stdout, digest, stderr } = await buildWith(published, () => undefined);
    expect(stderr).not.toContain('warning');
    expect(stdout).toContain("Found HASH at 'shelf'... [OK]");
    expect(digest).toBe(published.digest);
  });

  const lies: Readonly<Record<string, (place: string, home: string, published: Published) => void>> = {
    'with a changed layer': (place) => change(largest(place, 'blobs/sha256')),
    'with a layer cut off': (place) => truncateSync(largest(place, 'blobs/sha256'), 40),
    'with no blobs': (place) => rmSync(join(place, 'blobs'), { recursive: true }),
    'with a changed record': (place) => change(filesIn(place, 'packages').find((path) => path.endsWith('.json'))!),
    'with a changed signature': (place) => change(filesIn(place, 'packages').find((path) => path.endsWith('.sig'))!),
    'without records': (place) => rmSync(join(place, 'packages'), { recursive: true }),
    'with a changed pointer': (place) => change(join(place, 'index/current.json')),
    'with a page in place of the pointer': (place) =>
      writeFileSync(join(place, 'index/current.json'), '<!doctype html><title>Log in</title>'),
    'with a changed index': (place) => {
      for (const path of filesIn(place, 'index').filter((name) => name.endsWith('.zst'))) change(path);
    },
    'whose builder is a stranger': (_, home) => rmSync(join(home, '.config/buildit/allowed_signers')),
    'whose builder was revoked': (_, home, published) =>
      writeFileSync(join(home, '.config/buildit/revoked_keys'), readFileSync(join(published.home, 'key.pub'))),
  };

  for (const [name, lie] of Object.entries(lies)) {
    needs.test(`${name}, there is a warning, the package is built, and the image is the same`, async () => {
      const published = await publishedPlace();
      const { stdout, stderr, digest } = await buildWith(published, (place, home) => lie(place, home, published));
      expect(stderr).toMatch(/^warning: /m);
      expect(stdout).toContain('Defaulting to local build... [OK]');
      expect(digest).toBe(published.digest);
    });
  }
});

interface Published {
  readonly home: string;
  readonly directory: string;
  readonly place: string;
  readonly digest: string;
}

/** Publishes the tiny container to a directory. */
async function publish(): Promise<Published> {
  // Beside the store, which is removed when all tests are done.
  const home = join(dirname(store.path()), 'publisher');
  const directory = join(home, 'tiny');
  const place = join(home, 'shelf');
  writeTinyContainer(directory);
  configure(home, place);
  makeKey(join(home, 'key'));
  const environment = { ...environmentOf(home), BUILDIT_SIGN_KEY: join(home, 'key') };
  const { exitCode, stderr } = await runBuildit(['push', 'tiny'], { cwd: home, environment });
  expect(exitCode, stderr).toBe(0);
  return { home, directory, place, digest: digestOf(directory) };
}

/** Builds it in another home that trusts the builder, after something was done to the place. */
async function buildWith(published: Published, lie: (place: string, home: string) => void) {
  const home = traversableDirectory();
  const [directory, place] = [join(home, 'tiny'), join(home, 'shelf')];
  cpSync(published.place, place, { recursive: true });
  writeTinyContainer(directory);
  configure(home, place);
  cpSync(join(published.directory, 'buildit.lock'), join(directory, 'buildit.lock'));
  const [type, key] = readFileSync(join(published.home, 'key.pub'), 'utf8').split(' ');
  writeFileSync(join(home, '.config/buildit/allowed_signers'), `builder@example.org ${type} ${key}\n`);
  lie(place, home);
  forgetPackages(published.place);
  const run = await runBuildit(['tiny'], { cwd: home, environment: environmentOf(home) });
  expect(run.exitCode, run.stderr).toBe(0);
  return { ...run, digest: digestOf(directory) };
}

function environmentOf(home: string): Record<string, string> {
  return {
    PATH: process.env.PATH!,
    HOME: home,
    XDG_STATE_HOME: join(home, 'state'),
    BUILDIT_STORE: store.path(),
    LC_ALL: 'C.UTF-8',
  };
}

/** In the user's own configuration: that of a project reads no binhost outside of it. */
function configure(home: string, place: string): void {
  const both = ['upload', 'download'].flatMap((way) => [`  ${way}-type: file`, `  ${way}-path: ${place}`]);
  mkdirSync(join(home, '.config/buildit'), { recursive: true });
  writeFileSync(join(home, '.config/buildit/config.yaml'), ['repository:', '  name: shelf', ...both, ''].join('\n'));
}

/** Takes out of the shared store what a place could give: the roots of builds stay. */
function forgetPackages(place: string): void {
  for (const name of ['records', 'build-keys', 'encodings', 'receipts', 'notes']) {
    execFileSync('find', [join(store.path(), name), '-type', 'f', '-delete']);
  }
  const blobs = readdirSync(join(place, 'blobs/sha256'));
  const layers = filesIn(place, 'packages')
    .filter((path) => path.endsWith('.json'))
    .flatMap((path) => {
      const { main } = JSON.parse(readFileSync(path, 'utf8')).outputs;
      execFileSync('bash', ['-c', 'rm -rf "$1"/trees/*/"$2"*', 'bash', store.path(), main.diffId]);
      return [main.listing.digest, ...main.blobs.map(({ digest }: { digest: string }) => digest)];
    });
  const parts = filesIn(place, 'index').flatMap((path) => /([0-9a-f]{64})\.json\.zst$/.exec(path)?.[1] ?? []);
  for (const digest of [...parts, ...layers.filter((name) => blobs.includes(name))]) {
    rmSync(join(store.path(), 'blobs/sha256', digest.slice(0, 2), digest), { force: true });
  }
}

function digestOf(directory: string): string {
  return JSON.parse(readFileSync(join(directory, 'out/oci/index.json'), 'utf8')).manifests[0].digest;
}

function filesIn(place: string, name: string): string[] {
  return readdirSync(join(place, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** The tiny layer is the largest blob that its record names. */
function largest(place: string, directory: string): string {
  const record = filesIn(place, 'packages').find((path) => path.endsWith('.json'))!;
  const [blob] = JSON.parse(readFileSync(record, 'utf8')).outputs.main.blobs;
  return join(place, directory, blob.digest);
}

function change(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  rmSync(path);
  writeFileSync(path, bytes);
}
