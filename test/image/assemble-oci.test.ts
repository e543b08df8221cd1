import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assembleOci, type OciImage } from '../../src/image/assemble-oci.ts';
import { directoryMember, fileMember } from '../../src/layer/tar-member.ts';
import type { FileStep } from '../../src/model/container.ts';
import { writeLayout } from '../../src/publish/write-layout.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import {
  baselayout,
  nginx,
  ociDefinition,
  position,
  root,
  type TestContainer,
  type TestPackage,
  testContainer,
} from './test-content.ts';
import { factsComputed, factsOnDisk } from './unpacked-tree.ts';

const steps: readonly FileStep[] = [
  {
    kind: 'file',
    dest: '/etc/nginx/nginx.conf',
    content: 'listen 443;\n',
    mode: 0o640,
    owner: { user: 'nginx', group: '' },
    position,
  },
  { kind: 'file', dest: '/usr/sbin/nginx', content: 'replaced', mode: 0o4755, owner: root, position },
  { kind: 'link', dest: '/bin/web', target: '/sbin/nginx', position },
  {
    kind: 'file',
    dest: '/var/cache/nginx/seed',
    content: '',
    mode: 0o600,
    owner: { user: '101', group: '101' },
    position,
  },
];

function parse(bytes: Uint8Array) {
  return JSON.parse(Buffer.from(bytes).toString());
}

async function assembled(
  container: TestContainer,
  changes: Parameters<typeof ociDefinition>[0] = {},
): Promise<OciImage> {
  return assembleOci(container.store, container.content, ociDefinition(changes), { shared: [] });
}

async function layoutOf(container: TestContainer, image: OciImage): Promise<string> {
  const directory = join(temporaryDirectory(), 'oci');
  await writeLayout(container.store, [image], directory);
  return directory;
}

function manyPackages(count: number): TestPackage[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `app-misc/p${index}`,
    members: [
      directoryMember('usr/share', { mode: 0o755 }),
      ...(index % 2 === 0 ? [directoryMember('var/shared', { mode: index % 4 === 0 ? 0o2775 : 0o755 })] : []),
      fileMember(`usr/share/p${index}/data`, `data of ${index}`.repeat(index)),
      { ...fileMember(`usr/share/p${index}/link`, ''), type: 'hardlink', target: `usr/share/p${index}/data` },
    ],
  }));
}

describe('an OCI image', () => {
  test('has a layer for each package, base first, then generated files, then the user’s', async () => {
    const container = await testContainer([baselayout, nginx], () => steps);
    const { config, manifest, layers } = await assembled(container);
    const { rootfs, history, created } = parse(config.bytes);
    expect(history.map((entry: { created_by: string }) => entry.created_by)).toEqual([
      'buildit: sys-apps/baselayout-1.0',
      'buildit: www-servers/nginx-1.0',
      'buildit: generated files',
      'buildit: files of the container',
    ]);
    expect(created).toBe('2024-02-03T04:05:06Z');
    expect(rootfs.diff_ids.slice(0, 2)).toEqual(container.content.members.map(({ layer }) => `sha256:${layer.diffId}`));
    expect(parse(manifest.bytes).layers.map(({ digest }: { digest: string }) => digest)).toEqual(
      layers.map(({ digest }) => `sha256:${digest}`),
    );
  });

  test('says in its configuration what the container says', async () => {
    const container = await testContainer([baselayout, nginx]);
    const { config } = await assembled(container, {
      config: {
        entrypoint: ['/sbin/nginx'],
        cmd: ['-g', 'daemon off;'],
        user: 'nginx',
        workingDirectory: '/srv',
        environment: { TZ: 'UTC' },
        ports: ['80', '53/udp'],
        volumes: ['/data'],
        labels: { a: 'b' },
        stopSignal: 'SIGQUIT',
      },
    });
    const parsed = parse(config.bytes);
    expect(parsed).toMatchObject({ architecture: 'amd64', os: 'linux', author: 'Sysadmin42' });
    expect(parsed.config).toEqual({
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TZ=UTC'],
      User: 'nginx',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Entrypoint: ['/sbin/nginx'],
      Cmd: ['-g', 'daemon off;'],
      Volumes: { '/data': {} },
      WorkingDir: '/srv',
      Labels: { a: 'b' },
      StopSignal: 'SIGQUIT',
    });
  });

  test('is annotated with title, version, author, time and licences, and what the container adds', async () => {
    const container = await testContainer([baselayout, nginx]);
    const { manifest } = await assembled(container, { annotations: { 'org.example.team': 'web' } });
    expect(parse(manifest.bytes).annotations).toEqual({
      'org.opencontainers.image.title': 'nginx-production',
      'org.opencontainers.image.version': '1.7.6-p1',
      'org.opencontainers.image.authors': 'Sysadmin42',
      'org.opencontainers.image.created': '2024-02-03T04:05:06Z',
      'org.opencontainers.image.licenses': 'BSD-2-Clause AND GPL-2.0-or-later',
      'org.example.team': 'web',
    });
  });

  test('refuses to run as a user it does not have', async () => {
    const container = await testContainer([baselayout, nginx]);
    await expect(assembled(container, { config: { user: 'www-date' } })).rejects.toMatchObject({
      code: 'definition-invalid',
      message: expect.stringContaining('"www-date"'),
      position,
    });
    for (const user of ['nginx', '1000:1000', 'nginx:nogroup', 'www-data', 'root'])
      await assembled(container, { config: { user } });
  });

  test('is the same from two stores and two directories', async () => {
    const [one, two] = [
      await testContainer([baselayout, nginx], () => steps),
      await testContainer([baselayout, nginx], () => steps),
    ];
    for (const compression of ['zstd', 'gzip', 'none'] as const) {
      const [a, b] = [await assembled(one, { compression }), await assembled(two, { compression })];
      expect(a.manifest.digest).toBe(b.manifest.digest);
    }
  });

  test('writes no layer a second time', async () => {
    const container = await testContainer([baselayout, nginx, ...manyPackages(5)], () => steps);
    const first = await assembled(container, { layerBudget: 6 });
    rmSync(join(container.store.directory, 'trees'), { recursive: true });
    const second = await assembled(container, { layerBudget: 6 });
    expect(second).toEqual(first);
  });

  test('notices a file of the user that changes while it is read', async () => {
    const container = await testContainer([baselayout], (directory) => {
      mkdirSync(join(directory, 'files'));
      writeFileSync(join(directory, 'files/a'), 'before');
      return [
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
    writeFileSync(join(container.directory, 'files/a'), 'after!');
    await expect(assembled(container, { config: {} })).rejects.toThrow('found it changed');
  });
});

describe('packages beyond the budget', () => {
  test('share layers, told for the lock, and keep them the next time', async () => {
    const container = await testContainer([baselayout, ...manyPackages(20)], () => steps.slice(3));
    const first = await assembleOci(
      container.store,
      container.content,
      ociDefinition({ layerBudget: 12, config: {} }),
      { shared: [] },
    );
    expect(first.layers).toHaveLength(12);
    expect(first.shared.length).toBeGreaterThan(0);
    const next = await testContainer([baselayout, ...manyPackages(20), nginx], () => steps.slice(3), {
      store: container.store,
    });
    const second = await assembleOci(next.store, next.content, ociDefinition({ layerBudget: 13, config: {} }), {
      shared: first.shared,
    });
    const kept = second.layers.filter(({ digest }) => first.layers.some((other) => other.digest === digest));
    expect(kept).toHaveLength(10);
  });
});

describe('the budget of layers', () => {
  test.each([1, 2, 3, 4, 5, 22, 23])('%d counts generated files and steps', async (layerBudget) => {
    const container = await testContainer([baselayout, ...manyPackages(20), nginx], () => steps);
    const { layers, config } = await assembled(container, { layerBudget });
    expect(layers.length).toBe(layerBudget);
    const { history, rootfs } = parse(config.bytes);
    expect(history).toHaveLength(layerBudget);
    expect(rootfs.diff_ids).toHaveLength(layerBudget);
  });

  test('is no reason for layers that are not needed', async () => {
    const container = await testContainer([baselayout, nginx], () => steps);
    for (const layerBudget of [4, 5, 125]) expect((await assembled(container, { layerBudget })).layers).toHaveLength(4);
  });

  requires('umoci', 'root').test('does not change the tree, however small it is', async () => {
    const container = await testContainer([baselayout, nginx, ...manyPackages(4)], () => steps);
    for (const layerBudget of [1, 2, 3]) {
      const directory = await layoutOf(container, await assembled(container, { layerBudget }));
      const bundle = join(temporaryDirectory(), 'bundle');
      execFileSync('umoci', ['unpack', '--image', `${directory}:1.7.6-p1`, bundle]);
      expect(factsOnDisk(join(bundle, 'rootfs'))).toEqual(factsComputed(container.content.tree));
    }
  });
});

describe('an OCI layout', () => {
  requires('skopeo').test('is read by skopeo', async () => {
    const container = await testContainer([baselayout, nginx], () => steps);
    for (const compression of ['zstd', 'gzip', 'none'] as const) {
      const image = await assembled(container, { compression });
      const directory = await layoutOf(container, image);
      const inspected = JSON.parse(
        execFileSync('skopeo', ['inspect', `oci:${directory}:1.7.6-p1`], { encoding: 'utf8' }),
      );
      expect(inspected).toMatchObject({
        Digest: `sha256:${image.manifest.digest}`,
        Architecture: 'amd64',
        Created: '2024-02-03T04:05:06Z',
      });
      execFileSync('skopeo', [
        'copy',
        '--quiet',
        `oci:${directory}:1.7.6-p1`,
        `dir:${join(temporaryDirectory(), 'copy')}`,
      ]);
    }
  });

  requires('umoci', 'root').test('unpacks under umoci to the tree that was computed', async () => {
    const container = await testContainer([baselayout, nginx, ...manyPackages(12)], () => steps);
    const directory = await layoutOf(container, await assembled(container, { layerBudget: 9 }));
    const bundle = join(temporaryDirectory(), 'bundle');
    execFileSync('umoci', ['unpack', '--image', `${directory}:1.7.6-p1`, bundle]);
    expect(factsOnDisk(join(bundle, 'rootfs'))).toEqual(factsComputed(container.content.tree));
    const { process } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
    expect(process).toMatchObject({ args: ['/sbin/nginx'], user: { uid: 101, gid: 101 } });
  });

  requires('podman', 'root').test(
    'unpacks under podman to the tree that was computed',
    async () => {
      const container = await testContainer([baselayout, nginx, ...manyPackages(12)], () => steps);
      const directory = await layoutOf(container, await assembled(container, { layerBudget: 9, compression: 'zstd' }));
      const storage = temporaryDirectory();
      // Podman names the image after the path, which must therefore be in lower case.
      const podman = (...args: readonly string[]) =>
        execFileSync(
          'podman',
          ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs', ...args],
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], cwd: dirname(directory) },
        ).trim();
      const id = podman('pull', '--quiet', 'oci:oci:1.7.6-p1');
      try {
        expect(factsOnDisk(podman('image', 'mount', id))).toEqual(factsComputed(container.content.tree));
      } finally {
        podman('image', 'umount', '--all');
        podman('rmi', '--all', '--force');
      }
    },
    60_000,
  );

  test('holds blobs that are those of the store', async () => {
    const container = await testContainer([baselayout, nginx]);
    const image = await assembled(container);
    const directory = await layoutOf(container, image);
    for (const { digest } of image.layers) {
      expect(readFileSync(join(directory, 'blobs/sha256', digest))).toEqual(
        readFileSync(blobPath(container.store, digest)),
      );
    }
  });
});
