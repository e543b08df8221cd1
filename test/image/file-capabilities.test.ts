import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { assembleAci } from '../../src/image/assemble-aci.ts';
import { assembleOci } from '../../src/image/assemble-oci.ts';
import { rootArchive } from '../../src/image/root-archive.ts';
import { readTar } from '../../src/layer/read-tar.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import type { FileStep } from '../../src/model/container.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { collectMembers, inChunks } from '../layer/raw-tar.ts';
import {
  aciDefinition,
  baselayout,
  ociDefinition,
  position,
  root,
  type TestContainer,
  type TestPackage,
  testContainer,
} from './test-content.ts';

const inetutils: TestPackage = {
  name: 'net-misc/inetutils',
  members: [
    { ...fileMember('usr/bin/ping', 'ping', { mode: 0o755 }), capabilities: ['cap_net_raw'] },
    { ...fileMember('usr/bin/trace', 'trace', { mode: 0o755 }), capabilities: ['cap_net_admin', 'cap_net_raw'] },
    fileMember('usr/bin/telnet', 'telnet', { mode: 0o755 }),
  ],
};
const others = Array.from({ length: 6 }, (_, index): TestPackage => {
  return { name: `app-misc/other-${index}`, members: [fileMember(`usr/share/other-${index}`, 'x')] };
});
const replaced: readonly FileStep[] = [
  { kind: 'file', dest: '/usr/bin/ping', content: 'my own', mode: 0o755, owner: root, position },
];
const MANIFEST = {
  acKind: 'ImageManifest',
  acVersion: '0.6.1',
  name: 'nginx-production-1.7.6-p1',
  labels: [
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
};

async function able(bytes: AsyncIterable<Uint8Array>): Promise<Record<string, unknown>> {
  const members = await collectMembers(readTar(bytes, { isOwnLayer: true }));
  const files = members.filter(({ capabilities, text }) => capabilities !== undefined || text === 'my own');
  return Object.fromEntries(files.map(({ path, capabilities = 'none' }) => [path, capabilities]));
}

/** What each layer of an OCI image says of files that are able, or replaced. */
async function inLayers({ store, content }: TestContainer, layerBudget: number) {
  const image = await assembleOci(store, content, ociDefinition({ compression: 'none', layerBudget, config: {} }), {
    shared: [],
  });
  const layers = image.layers.map(({ digest }) => able(inChunks(readFileSync(blobPath(store, digest)))));
  return (await Promise.all(layers)).filter((layer) => Object.keys(layer).length > 0);
}

async function inAci({ store, content }: TestContainer) {
  const { digest } = await assembleAci(store, content, aciDefinition(MANIFEST));
  return able(inChunks(gunzipSync(readFileSync(blobPath(store, digest)))));
}

const PING = { 'usr/bin/ping': ['cap_net_raw'] };
const TRACE = { 'usr/bin/trace': ['cap_net_admin', 'cap_net_raw'] };

describe('files with capabilities', () => {
  test('have them in layers of their package and in shared ones, in an ACI and in the whole file system', async () => {
    const container = await testContainer([baselayout, inetutils, ...others]);
    expect(await inLayers(container, 100)).toEqual([{ ...PING, ...TRACE }]);
    expect(await inLayers(container, 2)).toEqual([{ ...PING, ...TRACE }]);
    expect(await inAci(container)).toEqual({
      'rootfs/usr/bin/ping': ['cap_net_raw'],
      'rootfs/usr/bin/trace': ['cap_net_admin', 'cap_net_raw'],
    });
    expect(await able(rootArchive(container.content))).toEqual({ ...PING, ...TRACE });
  });

  test('lose them with the file that a step of the container replaces', async () => {
    const container = await testContainer([baselayout, inetutils], () => replaced);
    expect(await inLayers(container, 100)).toEqual([{ ...PING, ...TRACE }, { 'usr/bin/ping': 'none' }]);
    expect(await inAci(container)).toEqual({
      'rootfs/usr/bin/ping': 'none',
      'rootfs/usr/bin/trace': ['cap_net_admin', 'cap_net_raw'],
    });
    expect(await able(rootArchive(container.content))).toEqual({ 'usr/bin/ping': 'none', ...TRACE });
  });
});
