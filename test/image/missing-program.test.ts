import { describe, expect, test } from 'vitest';
import { mergeTree } from '../../src/image/merge-tree.ts';
import { missingProgram } from '../../src/image/missing-program.ts';
import type { OciDefinition } from '../../src/image/oci-config.ts';
import type { LayerEntry } from '../../src/model/layer.ts';

const common = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
const listing: LayerEntry[] = [
  { ...common, path: 'bin', type: 'symlink', target: 'usr/bin' },
  { ...common, path: 'usr', type: 'directory' },
  { ...common, path: 'usr/bin', type: 'directory' },
  { ...common, path: 'usr/bin/hello', type: 'file', size: 0, sha256: 'a'.repeat(64) },
];
const tree = mergeTree([{ name: 'app-misc/hello', listing }]);

function missing(config: OciDefinition['config']): string | undefined {
  const position = { file: 'container.yaml', line: 1, column: 1 };
  return missingProgram(
    { kind: 'oci', config, compression: 'zstd', layerBudget: 100, tags: [], annotations: {}, position },
    tree,
  );
}

describe('the program an image starts', () => {
  test('is found through links of the image', () => {
    expect(missing({ entrypoint: ['/bin/hello'] })).toBeUndefined();
    expect(missing({ cmd: ['/usr/bin/hello', '--version'] })).toBeUndefined();
  });

  test('is missing where it is misspelt, or a directory', () => {
    expect(missing({ entrypoint: ['/usr/bin/helo'] })).toBe('/usr/bin/helo');
    expect(missing({ entrypoint: ['/usr/bin'] })).toBe('/usr/bin');
    expect(missing({ entrypoint: [], cmd: ['/usr/bin/helo'] })).toBe('/usr/bin/helo');
  });

  test('is not looked for by its bare name, and need not be given', () => {
    expect(missing({ entrypoint: ['hello'] })).toBeUndefined();
    expect(missing({})).toBeUndefined();
  });
});
