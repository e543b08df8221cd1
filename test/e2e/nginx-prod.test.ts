import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { startWithPodman, startWithRunc } from './support/run-image.ts';
import { type InstalledResult, runInstalled } from './support/run-installed.ts';

/** openssl alone takes two minutes on two idle processors. */
const BUILD_MS = 1_200_000;
const place = openPlace();

/** HASHes change with every recipe; their form does not. */
function withoutHashes(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, 'A-UUID');
}

requires('archive', 'user namespaces', 'root', 'podman', 'runc', 'umoci', 'skopeo', 'curl').describe(
  'the founding example',
  () => {
    let person: Person;
    let first: InstalledResult;

    beforeAll(async () => {
      person = openPerson(place, 'sysadmin', 'nginx-prod', undefined);
      first = await runInstalled({ installation: place.installation(), person, args: ['nginx-prod/'] });
    }, BUILD_MS);

    const layout = () => join(person.container, 'out/oci');
    const aci = () => join(person.container, 'out/nginx-production-1.22.1-p1-linux-amd64.aci');

    test('prints the founding transcript, line for line', async () => {
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      await expect(withoutHashes(first.stdout)).toMatchFileSnapshot('../golden/e2e/nginx-prod-first.txt');
    });

    test('gives an OCI image that skopeo reads', () => {
      const inspected = JSON.parse(execFileSync('skopeo', ['inspect', `oci:${layout()}:latest`], { encoding: 'utf8' }));
      expect(inspected).toMatchObject({ Architecture: 'amd64', Os: 'linux' });
      expect(inspected.Created).not.toMatch(/^1970/);
      const copy = join(place.path, 'skopeo-copy');
      execFileSync('skopeo', ['copy', '--quiet', `oci:${layout()}:latest`, `oci:${copy}:copied`]);
      expect(JSON.parse(readFileSync(join(copy, 'index.json'), 'utf8')).manifests[0].digest).toBe(inspected.Digest);
    });

    test('answers https with the page and plain http with the refusal of the patch, under podman', async () => {
      const container = startWithPodman(place.path, `oci:${layout()}:latest`);
      try {
        expect(await container.get('https://127.0.0.1/')).toMatchObject({
          status: 200,
          body: expect.stringContaining('<html'),
        });
        expect(await container.get('http://127.0.0.1/')).toMatchObject({ status: 403 });
        expect(await container.get('http://[::1]/')).toMatchObject({ status: 403 });
      } finally {
        container.stop();
      }
    });

    test('answers the same under plain runc, unpacked by umoci from a gzipped image', async () => {
      const definition = join(person.container, 'container.yaml');
      const text = readFileSync(definition, 'utf8');
      cpSync(definition, `${definition}.zstd`);
      writeFileSync(definition, text.replace('    tags:', '    compression: gzip\n    tags:'));
      const gzipped = join(place.path, 'gzipped');
      const output = `type=oci,dest=${gzipped}`;
      const run = await runInstalled({
        installation: place.installation(),
        person,
        args: ['build', '--output', output, 'nginx-prod/'],
      });
      writeFileSync(definition, text);
      expect(run, run.stderr).toMatchObject({ exitCode: 0 });
      const container = await startWithRunc(place.path, gzipped, 'latest');
      try {
        expect(await container.get('https://127.0.0.1/')).toMatchObject({ status: 200 });
        expect(await container.get('http://127.0.0.1/')).toMatchObject({ status: 403 });
      } finally {
        await container.stop();
      }
    });

    describe('as an ACI', () => {
      const members = () =>
        execFileSync('tar', ['-tzf', aci()], { encoding: 'utf8', maxBuffer: 1 << 26 })
          .split('\n')
          .filter(Boolean);
      const manifest = () => JSON.parse(execFileSync('tar', ['-xzOf', aci(), 'manifest'], { encoding: 'utf8' }));

      test('holds a manifest, an explicit rootfs, and nothing besides, each path once', () => {
        const names = members();
        expect(new Set(names.map((name) => name.split('/')[0]))).toEqual(new Set(['manifest', 'rootfs']));
        expect(names).toContain('rootfs/');
        expect(new Set(names).size).toBe(names.length);
        const [type] = execFileSync('tar', ['-tvzf', aci(), 'manifest'], { encoding: 'utf8' });
        expect(type).toBe('-');
      });

      test('says in its manifest what the founding document says', () => {
        expect(manifest()).toEqual({
          acKind: 'ImageManifest',
          acVersion: '0.6.1',
          name: 'nginx-production-1.22.1-p1',
          labels: [
            { name: 'os', value: 'linux' },
            { name: 'arch', value: 'amd64' },
          ],
          app: { exec: ['/sbin/nginx'], user: '0', group: '0' },
        });
        expect(manifest().name).toMatch(/^[a-z0-9]+([-._~/][a-z0-9]+)*$/);
      });

      test('is named by the SHA-512 of its uncompressed bytes', () => {
        const imageId = `sha512-${createHash('sha512')
          .update(gunzipSync(readFileSync(aci())))
          .digest('hex')}`;
        expect(first.stderr).toContain(imageId);
      });

      test('starts where its app says', () => {
        const names = new Set(members());
        expect(names).toContain('rootfs/usr/sbin/nginx');
        expect(execFileSync('tar', ['-tvzf', aci(), 'rootfs/sbin'], { encoding: 'utf8' })).toContain(
          'rootfs/sbin -> usr/sbin',
        );
      });
    });

    test('keeps licences and the status of every Debian package in the image, for scanners', () => {
      const names = new Set(execFileSync('tar', ['-tzf', aci()], { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n'));
      for (const name of ['libc6', 'libcrypt1', 'libgcc-s1']) {
        expect(names).toContain(`rootfs/var/lib/dpkg/status.d/${name}`);
      }
      expect(names).toContain('rootfs/usr/share/doc/libc6/copyright');
      expect(names).toContain('rootfs/usr/lib/os-release');
    });

    test('is there at once the second time, and the same after its results were removed', async () => {
      const again = await runInstalled({
        installation: place.installation(),
        person,
        args: ['--offline', 'nginx-prod/'],
      });
      expect(again).toMatchObject({ exitCode: 0 });
      expect(again.stdout.match(/Found HASH locally\.\.\. \[OK\]/g)).toHaveLength(5);
      expect(readdirSync(join(person.container, 'out')).sort()).toEqual([
        'nginx-production-1.22.1-p1-linux-amd64.aci',
        'oci',
      ]);
    });
  },
);
