import { describe, expect, test } from 'vitest';
import { keepOutput } from '../../src/build/keep-output.ts';
import { readListing } from '../../src/layer/listing.ts';
import { once } from '../../src/layer/tar-member.ts';
import type { SubpackageRule } from '../../src/model/package.ts';
import { openStore } from '../../src/store/store.ts';
import { rawMember, rawTar } from '../layer/raw-tar.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const rule = (name: string, ...files: readonly string[]): SubpackageRule => ({ name, files, run: [] });
const directory = (name: string) => rawMember({ name, type: '5', mode: '0000755\0' });
const FILES = ['bin/tool', 'usr/include/tool.h', 'usr/share/doc/tool/.hidden', 'usr/share/doc/tool/README'];
const packed = rawTar(
  ...['./', './bin/', './usr/', './usr/include/', './usr/share/', './usr/share/doc/', './usr/share/doc/tool/'].map(
    directory,
  ),
  ...FILES.map((path) => rawMember({ name: `./${path}` }, path)),
);

async function keep(subpackages: readonly SubpackageRule[], output = packed) {
  const store = await openStore(temporaryDirectory());
  const rules = { name: 'a/tool', sourceDate: 1_600_000_000, ownsTopLinks: false, subpackages };
  const outputs = await keepOutput(store, once(output), rules);
  const parts = await Promise.all(
    Object.entries(outputs).map(async ([name, layer]) => {
      const listing = await readListing(store, layer.listing);
      return [name, listing.filter(({ type }) => type === 'file').map(({ path }) => path)] as const;
    }),
  );
  return { outputs, files: Object.fromEntries(parts) };
}

describe('what a build packed', () => {
  test('is one layer where there are no sub-packages', async () => {
    const { files } = await keep([]);
    expect(files).toEqual({ main: ['usr/bin/tool', ...FILES.slice(1)] });
  });

  test('is parted: a file belongs to the first sub-package whose patterns fit, under its merged path', async () => {
    const { files } = await keep([
      rule('doc', 'usr/share/doc/**'),
      rule('rest', 'usr/share/**', 'usr/include/**'),
      rule('tools', 'usr/bin/*'),
    ]);
    expect(files).toEqual({ main: [], doc: FILES.slice(2), rest: ['usr/include/tool.h'], tools: ['usr/bin/tool'] });
  });

  test('gives the same layers whatever else is parted off', async () => {
    const [one, two] = [
      await keep([rule('doc', 'usr/share/doc/**')]),
      await keep([rule('x', 'opt/**'), rule('doc', 'usr/share/doc/**')]),
    ];
    expect(one.outputs).toEqual(two.outputs);
  });

  test('has no part that nothing belongs to', async () => {
    expect(Object.keys((await keep([rule('man', 'usr/share/man/**')])).outputs)).toEqual(['main']);
  });

  test('is refused when it holds the licence beside the sources alone, in a sub-package too', async () => {
    const license = rawTar(rawMember({ name: './usr/share/licenses/tool/COPYING' }, 'text'));
    for (const subpackages of [[], [rule('debug', 'usr/lib/debug/**')], [rule('texts', 'usr/share/licenses/**')]]) {
      await expect(keep(subpackages, license)).rejects.toMatchObject({
        code: 'build-failed',
        message: 'Cannot keep "a/tool": expected files below $DESTDIR, found none but texts of its licence',
      });
    }
  });

  test('may have its files in a sub-package, and licences in one of their own', async () => {
    const output = rawTar(
      ...['licenses/tool/COPYING', 'doc/tool/README'].map((path) => rawMember({ name: `./usr/share/${path}` }, path)),
    );
    expect((await keep([rule('doc', 'usr/share/**')], output)).files.main).toEqual([]);
    expect(Object.keys((await keep([rule('texts', 'usr/share/licenses/**')], output)).outputs)).toEqual([
      'main',
      'texts',
    ]);
  });

  test('is refused when it is empty, with sub-packages too', async () => {
    for (const subpackages of [[], [rule('doc', '**')]]) {
      await expect(keep(subpackages, rawTar(directory('./usr/')))).rejects.toMatchObject({ code: 'build-failed' });
    }
  });
});
