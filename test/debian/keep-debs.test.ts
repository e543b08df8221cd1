import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertDeb } from '../../src/debian/convert-deb.ts';
import { keepDpkgDatabase } from '../../src/debian/dpkg-database.ts';
import { keepDebs } from '../../src/debian/keep-debs.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { once } from '../../src/layer/tar-member.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { rawMember, rawTar } from '../layer/raw-tar.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { pinOf, rawDeb } from './raw-deb.ts';

const tool = rawDeb();
const other = rawDeb({ name: 'other' });
const freshStore = () => openStore(temporaryDirectory());
const output = (...files: readonly (readonly [string, Buffer])[]) =>
  once(rawTar(...files.map(([name, content]) => rawMember({ name }, content))));

describe('binary packages that a build left', () => {
  test('become layers by their names, the same as those that are made of packages of the archive', async () => {
    const store = await freshStore();
    const layers = await keepDebs(store, output(['./tool_1.deb', tool], ['./other_1.deb', other]), 'a/tool');
    expect(Object.keys(layers).sort()).toEqual(['other', 'tool']);
    const elsewhere = await freshStore();
    await putBlob(elsewhere, tool);
    expect((await convertDeb(elsewhere, pinOf(tool))).layer).toEqual(layers.tool);
  });

  test.each([
    ['nothing', [], /found none/],
    ['another file', [['./tool.changes', Buffer.from('x')]], /found tool\.changes/],
    ['one below a directory', [['./usr/tool.deb', tool]], /found usr\/tool\.deb/],
    [
      'two of one package',
      [
        ['./a.deb', tool],
        ['./b.deb', tool],
      ],
      /found b\.deb/,
    ],
  ] as const)('are refused where there is %s', async (_, files, message) => {
    const error = await keepDebs(await freshStore(), output(...files), 'a/tool').then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'build-failed', message: expect.stringMatching(message) });
  });

  test('are read as strictly as any', async () => {
    const cut = tool.subarray(0, tool.length - 100);
    await expect(keepDebs(await freshStore(), output(['./a.deb', cut]), 'a/tool')).rejects.toMatchObject({
      code: 'archive-refused',
    });
  });
});

requires('dpkg-query').test(
  'dpkg finds in a root what is installed, and whose a file is by either of its names',
  async () => {
    const store = await freshStore();
    const same = rawDeb({ name: 'same', more: 'Multi-Arch: same\n' });
    const pins = [pinOf(tool), pinOf(same, { name: 'same', multiArchSame: true })];
    const packages = await Promise.all(
      [tool, same].map(async (deb, index) => {
        await putBlob(store, deb);
        const pin = pins[index]!;
        return { pin, layer: (await convertDeb(store, pin)).layer };
      }),
    );
    const layer = await keepDpkgDatabase(store, packages);
    const admin = join(await ensureTree(store, layer), 'var/lib/dpkg');
    const query = (...args: readonly string[]) =>
      execFileSync('dpkg-query', [`--admindir=${admin}`, ...args], { encoding: 'utf8' });
    expect(
      query('--show', `--showformat=${['Package', 'Version', 'Status'].map((field) => `\${${field}}`).join(' ')}\\n`),
    ).toBe('same 1.0-1 install ok installed\ntool 1.0-1 install ok installed\n');
    for (const path of ['/usr/bin/tool', '/bin/tool']) expect(query('--search', path)).toBe(`tool: ${path}\n`);
    expect(query('--search', '/usr/bin/same')).toMatch(/^same:amd64: /);
    expect(await keepDpkgDatabase(store, [...packages].reverse())).toEqual(layer);
  },
);
