import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { assembleAci } from '../../src/image/assemble-aci.ts';
import { rootArchive } from '../../src/image/root-archive.ts';
import type { FileStep } from '../../src/model/container.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { aciDefinition, baselayout, NEWEST, nginx, position, root, testContainer } from './test-content.ts';
import { factsComputed, factsOnDisk } from './unpacked-tree.ts';

const manifest = {
  acKind: 'ImageManifest',
  acVersion: '0.6.1',
  name: 'nginx-production-1.7.6-p1',
  labels: [
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: { exec: ['/sbin/nginx'], user: 'nginx', group: '0' },
};

const steps: readonly FileStep[] = [
  { kind: 'file', dest: '/usr/sbin/nginx', content: 'replaced', mode: 0o755, owner: root, position },
  { kind: 'file', dest: '/etc/motd', content: 'hello\n', mode: 0o644, owner: root, position },
];

async function archiveOf(own: readonly FileStep[] = steps, text: object | string = manifest) {
  const container = await testContainer([baselayout, nginx], () => own);
  const image = await assembleAci(container.store, container.content, aciDefinition(text));
  const bytes = readFileSync(blobPath(container.store, image.digest));
  return { container, image, bytes };
}

describe('an ACI', () => {
  test('holds the manifest as written, an explicit rootfs, and nothing else at the top', async () => {
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    const { image, bytes } = await archiveOf(steps, text);
    const file = join(temporaryDirectory(), image.fileName);
    writeFileSync(file, bytes);
    const names = execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).trim().split('\n');
    expect(names.slice(0, 2)).toEqual(['manifest', 'rootfs/']);
    expect(names.filter((name) => name !== 'manifest' && !name.startsWith('rootfs/'))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    expect(execFileSync('tar', ['-xzOf', file, 'manifest'], { encoding: 'utf8' })).toBe(text);
    const [line] = execFileSync('tar', ['--utc', '--full-time', '--numeric-owner', '-tvzf', file], {
      encoding: 'utf8',
    }).split('\n');
    expect(line).toMatch(/^-rw-r--r-- 0\/0 +[0-9]+ 2024-02-03 04:05:06 manifest$/);
  });

  test('is called after the container and the platform, and known by the digest of its tar', async () => {
    const { image, bytes } = await archiveOf();
    expect(image.fileName).toBe('nginx-production-1.7.6-p1-linux-amd64.aci');
    expect(image.imageId).toBe(`sha512-${createHash('sha512').update(gunzipSync(bytes)).digest('hex')}`);
    expect(image).toMatchObject({ size: bytes.length, digest: createHash('sha256').update(bytes).digest('hex') });
  });

  requires('root').test('unpacks to the tree that was computed, hard links that lost their file included', async () => {
    const { container, bytes } = await archiveOf();
    const directory = temporaryDirectory();
    execFileSync('tar', ['-xzf', '-', '--numeric-owner', '-C', directory], { input: bytes });
    expect(factsOnDisk(join(directory, 'rootfs'))).toEqual(factsComputed(container.content.tree));
    expect(readFileSync(join(directory, 'rootfs/usr/sbin/nginx'), 'utf8')).toBe('replaced');
    expect(readFileSync(join(directory, 'rootfs/usr/sbin/nginx-debug')).length).toBe(5000);
  });

  test('is the same from two stores, and made once in each', async () => {
    const one = await archiveOf();
    const two = await archiveOf();
    expect(two.image).toEqual(one.image);
    rmSync(join(one.container.store.directory, 'trees'), { recursive: true });
    const again = await assembleAci(one.container.store, one.container.content, aciDefinition(manifest));
    expect(again).toEqual(one.image);
  });

  test('is another one when the manifest, a package or a file of the user changes', async () => {
    const ids = [
      (await archiveOf()).image.imageId,
      (await archiveOf(steps, { ...manifest, annotations: [] })).image.imageId,
      (await archiveOf(steps.slice(1))).image.imageId,
    ];
    expect(new Set(ids).size).toBe(3);
  });

  test('needs users that the image has, by name, number or a file’s path', async () => {
    const withUser = (user: string) => archiveOf([], { ...manifest, app: { ...manifest.app, user } });
    await expect(withUser('www-date')).rejects.toMatchObject({ code: 'definition-invalid', position });
    await expect(withUser('/sbin/missing')).rejects.toMatchObject({ code: 'definition-invalid' });
    for (const user of ['nginx', '4711', '/sbin/nginx']) await withUser(user);
  });
});

describe('the archive of the whole file system', () => {
  requires('root').test('unpacks to the tree that was computed, and is the same every time', async () => {
    const { content } = await testContainer([baselayout, nginx], (directory) => {
      mkdirSync(join(directory, 'files'));
      writeFileSync(join(directory, 'files/large'), Buffer.alloc(3_000_000, 'x'));
      return [
        ...steps,
        {
          kind: 'sync',
          source: join(directory, 'files'),
          dest: '/srv',
          recursive: true,
          mode: undefined,
          directoryMode: 0o755,
          owner: root,
          exclude: [],
          template: false,
          position,
        },
      ];
    });
    const collect = async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of rootArchive(content)) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const bytes = await collect();
    expect(bytes.equals(await collect())).toBe(true);
    const directory = temporaryDirectory();
    execFileSync('tar', ['-xf', '-', '--numeric-owner', '-C', directory], { input: bytes });
    expect(factsOnDisk(directory)).toEqual(factsComputed(content.tree));
    expect(content.created).toBe(NEWEST);
  });
});
