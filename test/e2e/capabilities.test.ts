import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readTar } from '../../src/layer/read-tar.ts';
import { collectMembers, inChunks } from '../layer/raw-tar.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { openPlace } from './support/place.ts';
import { runWithPodman } from './support/run-image.ts';

/** The packages of the root are fetched and unpacked first. */
const FIRST_MS = 600_000;

const CONTAINER = `- vars: {name: able, version: 1.0.0, os: linux, arch: amd64}
- base: none
- package: {type: embedded, path: ./pkgs/able, subpackages: [other]}
- link: {dest: /lib, target: usr/lib}
- link: {dest: /lib64, target: usr/lib64}
- image: {type: oci, compression: gzip, config: {entrypoint: [/usr/bin/able], user: "1234:1234"}}
- image:
    type: aci
    content: |
      {"acKind": "ImageManifest", "acVersion": "0.6.1", "name": "{{ name }}",
       "labels": [{"name": "os", "value": "{{ os }}"}, {"name": "arch", "value": "{{ arch }}"}]}
`;

const RECIPE = `name: test/able
version: 1.0.0
license: MIT
class: none
root: minimal
dependencies: {link: [debian/libc6]}
phases:
  install: |
    install -D -m 0755 /bin/cat "$DESTDIR/bin/able"
    install -D -m 0755 /bin/cat "$DESTDIR/usr/bin/unable"
subpackages: {other: {files: [usr/bin/unable]}}
capabilities: {usr/bin/able: [cap_net_bind_service, cap_chown]}
`;

const place = openPlace();

requires('archive', 'user namespaces', 'bwrap', 'tar').describe('a recipe with capabilities', () => {
  let cwd: string;
  let store: string;

  beforeAll(() => {
    cwd = join(place.path, 'work');
    store = join(place.path, 'store');
    mkdirSync(join(cwd, 'able/pkgs/able'), { recursive: true });
    writeFileSync(join(cwd, 'able/container.yaml'), CONTAINER);
    writeFileSync(join(cwd, 'able/pkgs/able/pkg.yaml'), RECIPE);
  });

  const buildit = (...argv: string[]) =>
    runBuildit(argv, { cwd, environment: { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: store } });
  const layout = () => join(cwd, 'able/out/oci');

  /** As GNU tar reads them off the disk. */
  async function onDisk(root: string) {
    const args = ['--create', '--xattrs', '--xattrs-include=security.*', '--directory', root, 'usr/bin'];
    const members = await collectMembers(readTar(inChunks(execFileSync('tar', args)), { isOwnLayer: true }));
    return Object.fromEntries(
      members.filter(({ type }) => type === 'file').map(({ path, capabilities }) => [path, capabilities]),
    );
  }

  test(
    'is built without any rights',
    async () => {
      const { exitCode, stderr } = await buildit('able');
      expect(exitCode, stderr).toBe(0);
    },
    FIRST_MS,
  );

  requires('umoci', 'root').test('gives them to the file that umoci unpacks, and to no other', async () => {
    const bundle = join(traversableDirectory(), 'bundle');
    execFileSync('umoci', ['unpack', '--image', `${layout()}:1.0.0`, bundle]);
    expect(await onDisk(join(bundle, 'rootfs'))).toEqual({
      'usr/bin/able': ['cap_chown', 'cap_net_bind_service'],
      'usr/bin/unable': undefined,
    });
  });

  requires('root').test('gives them to the file that tar unpacks from the ACI', async () => {
    const directory = traversableDirectory();
    const aci = join(cwd, 'able/out/able-1.0.0-linux-amd64.aci');
    execFileSync('tar', ['-xzf', aci, '--xattrs', '--xattrs-include=security.*', '-C', directory]);
    expect(await onDisk(join(directory, 'rootfs'))).toEqual({
      'usr/bin/able': ['cap_chown', 'cap_net_bind_service'],
      'usr/bin/unable': undefined,
    });
  });

  requires('podman', 'runc', 'root').test('lets an ordinary user have them under podman', () => {
    const status = runWithPodman(place.path, `oci:${layout()}:1.0.0`, '/proc/self/status');
    expect(status).toMatch(/^Uid:\t1234\t/m);
    expect(status).toMatch(/^CapEff:\t0000000000000401$/m);
  });

  test('comes out the same from a store that lost the trees of its layers', async () => {
    const made = readFileSync(join(layout(), 'index.json'));
    renameSync(join(cwd, 'able/out'), join(cwd, 'before'));
    for (const part of ['trees', 'notes']) rmSync(join(store, part), { recursive: true });
    const { exitCode, stdout, stderr } = await buildit('able', '--verify');
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('Found HASH locally... [OK]');
    expect(readFileSync(join(layout(), 'index.json'))).toEqual(made);
    expect(readdirSync(join(cwd, 'able/out'))).toEqual(readdirSync(join(cwd, 'before')));
    const [aci] = readdirSync(join(cwd, 'before')).filter((name) => name.endsWith('.aci'));
    expect(readFileSync(join(cwd, 'able/out', aci!)).equals(readFileSync(join(cwd, 'before', aci!)))).toBe(true);
  });

  test('is refused where the build installs no such file, at the place in pkg.yaml', async () => {
    const path = join(cwd, 'able/pkgs/able/pkg.yaml');
    writeFileSync(path, RECIPE.replace('{usr/bin/able', '{bin/able'));
    const { exitCode, stderr } = await buildit('able');
    expect(exitCode).toBe(10);
    expect(stderr).toContain(
      'Cannot give capabilities to "bin/able" of "test/able": expected a regular file that the build installs, found nothing',
    );
    expect(stderr).toContain('pkg.yaml:12:16');
    expect(stderr).toContain('in a package it is usr/bin/able');
  });
});
