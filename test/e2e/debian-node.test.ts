import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { imageDigests } from './support/image-digests.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { runWithPodman } from './support/run-image.ts';
import { type InstalledResult, runInstalled } from './support/run-installed.ts';

/** Twenty-odd packages are fetched, and the base is built. */
const BUILD_MS = 600_000;
const NODE = '18.20.4';

const place = openPlace();

requires('archive', 'user namespaces').describe('an image of existing packages only', () => {
  let person: Person;
  let built: InstalledResult;

  const run = (verb: string, ...args: readonly string[]) =>
    runInstalled({ installation: place.installation(), person, args: [verb, 'debian-node/', ...args] });

  beforeAll(async () => {
    person = openPerson(place, 'somebody', 'debian-node', undefined);
    built = await run('build', '--locked');
  }, BUILD_MS);

  test('is built as its lock says, from an empty store, and compiles nothing', () => {
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    expect(built.stdout.match(/^Processing package .*$/gm)).toEqual([
      "Processing package 'sys-apps/baselayout' for linux/amd64.",
    ]);
    expect(Object.keys(imageDigests(person))).toEqual(['latest']);
  });

  test('pins the version that was asked for, and what it needs', () => {
    const text = readFileSync(join(person.container, 'buildit.lock'), 'utf8');
    const { debian } = JSON.parse(text) as { debian: Record<string, { version: string }> };
    expect(debian.nodejs!.version.startsWith(`${NODE}+dfsg-`)).toBe(true);
    expect(Object.keys(debian)).toEqual(expect.arrayContaining(['libc6', 'libnode108', 'libicu72']));
  });

  test('says why a package is in it that nobody named', async () => {
    const why = await run('why', 'libicu72');
    expect(why, why.stderr).toMatchObject({ exitCode: 0 });
    expect(why.stdout.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' '))).toEqual([
      'debian/libicu72 is in the image',
      'debian/nodejs the container asks for it',
      'debian/libnode108 debian/nodejs depends on it',
      'debian/libicu72 debian/libnode108 depends on it',
      '',
    ]);
  });

  requires('podman', 'runc', 'root').describe('under podman and runc', () => {
    const node = (script: string) =>
      runWithPodman(place.path, `oci:${join(person.container, 'out/oci')}:latest`, '-e', script);

    test('runs node', () => {
      expect(node('console.log(process.version)')).toBe(`v${NODE}\n`);
    });

    test('runs it as nobody, with everything that node needs', () => {
      const script = `
        const { createHash } = require('node:crypto');
        const { gzipSync } = require('node:zlib');
        const text = new Intl.DateTimeFormat('de', { month: 'long', timeZone: 'UTC' }).format(new Date(0));
        console.log(process.getuid(), createHash('sha256').update('').digest('hex').slice(0, 8), gzipSync('').length, text);
      `;
      expect(node(script)).toBe('65534 e3b0c442 20 Januar\n');
    });
  });
});
