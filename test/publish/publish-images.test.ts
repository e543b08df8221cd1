import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assembleAci } from '../../src/image/assemble-aci.ts';
import { assembleOci } from '../../src/image/assemble-oci.ts';
import { rootArchive } from '../../src/image/root-archive.ts';
import type { FileStep } from '../../src/model/container.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { OutputSpec } from '../../src/publish/parse-output.ts';
import { type ImagesToPublish, publishImages } from '../../src/publish/publish-images.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import {
  aciDefinition,
  baselayout,
  nginx,
  ociDefinition,
  position,
  root,
  type TestContainer,
  testContainer,
} from '../image/test-content.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const manifest = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'nginx' };

function motd(content: string): FileStep {
  return { kind: 'file', dest: '/etc/motd', content, mode: 0o644, owner: root, position };
}

async function imagesOf(container: TestContainer, tags: readonly string[] = []): Promise<ImagesToPublish> {
  const { store, content } = container;
  const definition = ociDefinition({ compression: 'zstd', tags });
  return {
    oci: [await assembleOci(store, content, definition, { shared: [] })],
    aci: [await assembleAci(store, content, aciDefinition(manifest))],
    docker: async () => [await assembleOci(store, content, definition, { shared: [], compression: 'gzip' })],
    rootArchive: () => rootArchive(content),
  };
}

function publish(
  container: TestContainer,
  images: ImagesToPublish,
  directory: string,
  outputs: readonly OutputSpec[] = [],
) {
  return publishImages(container.store, images, { directory, outputs });
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

function expectConsistent(layout: string): void {
  for (const name of readdirSync(join(layout, 'blobs/sha256'))) {
    expect(sha256(readFileSync(join(layout, 'blobs/sha256', name)))).toBe(name);
  }
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const named = new Set<string>();
  for (const { digest } of index.manifests) {
    named.add(digest.slice(7));
    const { config, layers } = JSON.parse(readFileSync(join(layout, 'blobs/sha256', digest.slice(7)), 'utf8'));
    for (const each of [config, ...layers]) named.add(each.digest.slice(7));
  }
  expect(readdirSync(join(layout, 'blobs/sha256')).sort()).toEqual([...named].sort());
}

/** What `podman load` calls the images of an archive. */
function loadedNames(archive: string): readonly string[] {
  const storage = temporaryDirectory();
  const options = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
  const podman = (...args: readonly string[]) =>
    execFileSync('podman', [...options, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  podman('load', '--quiet', '--input', archive);
  try {
    return podman('images', '--format', '{{.Repository}}:{{.Tag}}').split('\n').sort();
  } finally {
    podman('rmi', '--all', '--force');
  }
}

describe('results', () => {
  test('lie in the out directory: an OCI layout and an ACI', async () => {
    const container = await testContainer([baselayout, nginx], () => [motd('a')]);
    const images = await imagesOf(container);
    const out = join(container.directory, 'out');
    const published = await publish(container, images, out);
    expect(published.map(({ kind, path, digest, imageId }) => ({ kind, path, digest, imageId }))).toEqual([
      { kind: 'oci', path: join(out, 'oci'), digest: `sha256:${images.oci[0]!.manifest.digest}`, imageId: undefined },
      {
        kind: 'aci',
        path: join(out, 'nginx-production-1.7.6-p1-linux-amd64.aci'),
        digest: `sha256:${images.aci[0]!.digest}`,
        imageId: images.aci[0]!.imageId,
      },
    ]);
    expectConsistent(join(out, 'oci'));
    expect(JSON.parse(readFileSync(join(out, 'oci/oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
  });

  test('share their bytes with the store', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    await publish(container, images, join(container.directory, 'out'));
    const digest = images.oci[0]!.layers[0]!.digest;
    const linked = statSync(join(container.directory, 'out/oci/blobs/sha256', digest));
    expect(linked.ino).toBe(statSync(blobPath(container.store, digest)).ino);
  });

  test('written again are the same, and what only the old image had is gone', async () => {
    const container = await testContainer([baselayout, nginx], () => [motd('a')]);
    const out = join(container.directory, 'out');
    await publish(container, await imagesOf(container), out);
    const before = filesBelow(out);
    await publish(container, await imagesOf(container), out);
    expect(filesBelow(out)).toEqual(before);

    const changed = await testContainer([baselayout, nginx], () => [motd('b')], { store: container.store });
    await publish(changed, await imagesOf(changed), out);
    expectConsistent(join(out, 'oci'));
    expect(filesBelow(out)).not.toEqual(before);
    expect(filesBelow(out)).toHaveLength(before.length);
  });

  test('heal what was damaged in the layout, and clear away what a killed run left', async () => {
    const container = await testContainer([baselayout, nginx]);
    const out = join(container.directory, 'out');
    const images = await imagesOf(container);
    await publish(container, images, out);
    const blobs = join(out, 'oci/blobs/sha256');
    const layer = join(blobs, images.oci[0]!.layers[1]!.digest);
    const intact = readFileSync(layer);
    const { unlinkSync } = await import('node:fs');
    unlinkSync(layer);
    writeFileSync(layer, 'damaged');
    const config = join(blobs, images.oci[0]!.config.digest);
    chmodSync(config, 0o644);
    writeFileSync(config, '{}');
    const leftovers = [
      join(blobs, `.${'a'.repeat(64)}.0123456789ab.tmp`),
      join(out, 'oci', '.index.json.0123456789ab.tmp'),
      join(out, `.${images.aci[0]!.fileName}.0123456789ab.tmp`),
    ];
    for (const path of leftovers) writeFileSync(path, '');
    writeFileSync(join(blobs, 'f'.repeat(64)), 'stale');

    await publish(container, images, out);
    expect(readFileSync(layer).equals(intact)).toBe(true);
    expectConsistent(join(out, 'oci'));
    expect(leftovers.filter(existsSync)).toEqual([]);
  });

  test('begun by a run that died before the index was written are completed', async () => {
    const container = await testContainer([baselayout, nginx]);
    const out = join(container.directory, 'out');
    const images = await imagesOf(container);
    await publish(container, images, out);
    const { unlinkSync } = await import('node:fs');
    unlinkSync(join(out, 'oci/index.json'));
    await publish(container, images, out);
    expectConsistent(join(out, 'oci'));
  });

  test('may hold two images with tags of their own, and no tag twice', async () => {
    const container = await testContainer([baselayout, nginx]);
    const { store, content } = container;
    const images = await imagesOf(container, ['1.7.6-p1', 'latest']);
    const other = await assembleOci(store, content, ociDefinition({ tags: ['debug'], config: {} }), { shared: [] });
    const out = join(container.directory, 'out');
    await publish(container, { ...images, oci: [...images.oci, other] }, out);
    const { manifests } = JSON.parse(readFileSync(join(out, 'oci/index.json'), 'utf8'));
    const tagsOf = ({ annotations }: { annotations: Record<string, string> }) =>
      annotations['org.opencontainers.image.ref.name'];
    expect(manifests.map(tagsOf)).toEqual(['latest', 'debug']);
    const clash = await assembleOci(store, content, ociDefinition({ tags: ['latest'], config: {} }), { shared: [] });
    await expect(publish(container, { ...images, oci: [...images.oci, clash] }, out)).rejects.toThrow(
      'two images as "latest"',
    );
  });

  test('leave alone what buildit did not write', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const out = join(container.directory, 'out');
    mkdirSync(join(out, 'oci'), { recursive: true });
    writeFileSync(join(out, 'oci/thesis.tex'), 'years of work');
    await expect(publish(container, images, out)).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining('"thesis.tex" in it'),
    });
    expect(filesBelow(out)).toEqual(['oci/thesis.tex']);

    const foreign = join(temporaryDirectory(), 'layout');
    mkdirSync(join(foreign, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(foreign, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(foreign, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
    await expect(publish(container, images, out, [{ type: 'oci', dest: foreign }])).rejects.toThrow(
      'an image layout that buildit did not write',
    );
    expect(filesBelow(foreign)).toEqual(['index.json', 'oci-layout']);
  });

  test('replace a link in their place, and never what it leads to', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const out = join(container.directory, 'out');
    const precious = join(temporaryDirectory(), 'precious');
    writeFileSync(precious, 'precious');
    mkdirSync(out);
    symlinkSync(precious, join(out, images.aci[0]!.fileName));
    await publish(container, images, out);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
  });

  test('go where --output says, and nowhere else', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const place = temporaryDirectory();
    const out = join(container.directory, 'out');
    const published = await publish(container, images, out, [
      { type: 'aci', dest: join(place, 'deep/er/web.aci') },
      { type: 'tar', dest: join(place, 'root.tar') },
      { type: 'oci', dest: join(place, 'web.tar') },
    ]);
    expect(existsSync(out)).toBe(false);
    expect(filesBelow(place)).toEqual(['deep/er/web.aci', 'root.tar', 'web.tar']);
    const file = readFileSync(join(place, 'root.tar'));
    expect(published[1]).toMatchObject({
      digest: `sha256:${createHash('sha256').update(file).digest('hex')}`,
      size: file.length,
    });
  });

  test('that cannot be written name the place and why', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const place = temporaryDirectory();
    writeFileSync(join(place, 'file'), '');
    mkdirSync(join(place, 'directory.tar'));
    for (const dest of [join(place, 'file/web.tar'), join(place, 'directory.tar')]) {
      await expect(publish(container, images, place, [{ type: 'tar', dest }])).rejects.toMatchObject({
        code: 'cannot-write',
      });
    }
    expect(readdirSync(place).sort()).toEqual(['directory.tar', 'file']);
  });

  test('interrupted in the middle leave the old file and no other', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const place = temporaryDirectory();
    writeFileSync(join(place, 'root.tar'), 'old');
    const failing = {
      ...images,
      async *rootArchive() {
        yield Buffer.from('half');
        throw new Error('interrupted');
      },
    };
    await expect(publish(container, failing, place, [{ type: 'tar', dest: join(place, 'root.tar') }])).rejects.toThrow(
      'interrupted',
    );
    expect(filesBelow(place)).toEqual(['root.tar']);
    expect(readFileSync(join(place, 'root.tar'), 'utf8')).toBe('old');
  });

  requires('skopeo').test('as archives are read by skopeo, the docker one with its tag', async () => {
    const container = await testContainer([baselayout, nginx], () => [motd('a')]);
    const images = await imagesOf(container);
    const place = temporaryDirectory();
    await publish(container, images, place, [
      { type: 'docker', dest: join(place, 'docker.tar') },
      { type: 'oci', dest: join(place, 'oci.tar') },
    ]);
    const inspect = (reference: string) =>
      JSON.parse(execFileSync('skopeo', ['inspect', reference], { encoding: 'utf8' }));
    expect(inspect(`oci-archive:${join(place, 'oci.tar')}:1.7.6-p1`).Digest).toBe(
      `sha256:${images.oci[0]!.manifest.digest}`,
    );
    expect(inspect(`docker-archive:${join(place, 'docker.tar')}:nginx-production:1.7.6-p1`)).toMatchObject({
      Architecture: 'amd64',
    });
    execFileSync('skopeo', [
      'copy',
      '--quiet',
      `docker-archive:${join(place, 'docker.tar')}`,
      `dir:${join(place, 'copy')}`,
    ]);
  });

  requires('podman', 'root').test(
    'are loaded by podman from either archive, each with all its names',
    async () => {
      const container = await testContainer([baselayout, nginx], () => [motd('a')]);
      const { store, content } = container;
      const tagged = { '1.0': ['/sbin/nginx'], 'registry.example:5000/team/web:2': ['/sbin/other'] };
      const made = (compression: 'zstd' | 'gzip') =>
        Promise.all(
          Object.entries(tagged).map(([tag, entrypoint]) =>
            assembleOci(
              store,
              content,
              ociDefinition({ compression, tags: tag === '1.0' ? [tag, 'latest'] : [tag], config: { entrypoint } }),
              { shared: [] },
            ),
          ),
        );
      const all: ImagesToPublish = {
        oci: await made('zstd'),
        aci: [],
        docker: () => made('gzip'),
        rootArchive: () => rootArchive(content),
      };
      const single = { ...all, oci: all.oci.slice(1), docker: async () => (await made('gzip')).slice(1) };
      const names = ['docker.io/library/nginx-production:1.0', 'docker.io/library/nginx-production:latest'];
      const other = 'registry.example:5000/team/web:2';
      const place = temporaryDirectory();
      for (const type of ['docker', 'oci'] as const) {
        const [several, one] = [join(place, `${type}.tar`), join(place, `${type}-one.tar`)];
        await publish(container, all, place, [{ type, dest: several }]);
        await publish(container, single, place, [{ type, dest: one }]);
        expect(loadedNames(several)).toEqual([...names, other]);
        expect(loadedNames(one)).toEqual([other]);
      }
    },
    60_000,
  );

  test('published several times at once are whole', async () => {
    const container = await testContainer([baselayout, nginx]);
    const images = await imagesOf(container);
    const out = join(container.directory, 'out');
    await Promise.all([1, 2, 3, 4].map(() => publish(container, images, out)));
    expectConsistent(join(out, 'oci'));
  });
});

describe('the usual place', () => {
  const elements = ['out', 'out/oci', 'out/oci/blobs', 'out/oci/blobs/sha256'];
  const odd: readonly [string, (path: string, victim: string) => void][] = [
    ['a link to a directory', (path, victim) => symlinkSync(victim, path)],
    ['a link that leads nowhere', (path) => symlinkSync('/nonexistent/directory', path)],
    ['a link to itself', (path) => symlinkSync(path, path)],
    ['a file', (path) => writeFileSync(path, '')],
    ['a named pipe', (path) => execFileSync('mkfifo', [path])],
  ];

  test.each(odd)('with an element that is %s is refused by name, and nothing is written', async (_, make) => {
    const container = await testContainer([baselayout, nginx], () => [motd('first')]);
    const images = await imagesOf(container);
    for (const element of elements) {
      const [project, victim] = [temporaryDirectory(), temporaryDirectory()];
      writeFileSync(join(victim, 'keep'), '');
      mkdirSync(join(project, element, '..'), { recursive: true });
      make(join(project, element), victim);
      await expect(publish(container, images, join(project, 'out'))).rejects.toMatchObject({
        code: 'cannot-write',
        message: expect.stringContaining(`Cannot write to "${join(project, element)}": expected a directory, found a`),
        hint: expect.stringContaining('--output'),
      });
      expect(readdirSync(victim)).toEqual(['keep']);
    }
  });

  test.each(['oci/index.json', 'oci/oci-layout'])('%s is never followed', async (name) => {
    const container = await testContainer([baselayout, nginx], () => [motd('first')]);
    const images = await imagesOf(container);
    const out = join(temporaryDirectory(), 'out');
    await publish(container, images, out);
    const target = join(temporaryDirectory(), 'target');
    const path = join(out, name);
    renameSync(path, target);
    const before = statSync(target).mtimeMs;
    symlinkSync(target, path);
    await expect(publish(container, images, out)).rejects.toMatchObject({ code: 'cannot-write' });
    expect([statSync(target).mtimeMs, readdirSync(join(target, '..'))]).toEqual([before, ['target']]);
  });

  test('may lie in a directory behind a link, and --output may go anywhere', async () => {
    const container = await testContainer([baselayout, nginx], () => [motd('first')]);
    const images = await imagesOf(container);
    const [real, parent] = [temporaryDirectory(), temporaryDirectory()];
    symlinkSync(real, join(parent, 'project'));
    await publish(container, images, join(parent, 'project/out'));
    await publish(container, images, join(parent, 'unused'), [
      { type: 'oci', dest: join(parent, 'project/elsewhere') },
    ]);
    expect(readdirSync(real).sort()).toEqual(['elsewhere', 'out']);
  });
});
