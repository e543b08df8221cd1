import { expect, test } from 'vitest';
import { mergeTree } from '../../src/image/merge-tree.ts';
import type { OciDefinition } from '../../src/image/oci-config.ts';
import type { ImageContent } from '../../src/image/prepare-content.ts';
import { unwritableDirectory } from '../../src/image/unwritable-directory.ts';
import type { LayerEntry } from '../../src/model/layer.ts';

const common = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
const listing: LayerEntry[] = [
  { ...common, path: 'srv', type: 'directory' },
  { ...common, path: 'www', type: 'symlink', target: 'srv' },
];
const content = {
  tree: mergeTree([{ name: 'base', listing }]),
  users: { passwd: 'root:x:0:0::/root:/bin/sh\nweb:x:101:101::/srv:/bin/sh\n', group: '', shadow: undefined },
} as unknown as ImageContent;

function made(config: OciDefinition['config']) {
  const position = { file: 'container.yaml', line: 1, column: 1 };
  const image = { kind: 'oci', config, compression: 'zstd', layerBudget: 100, tags: [], annotations: {}, position };
  return unwritableDirectory(image as OciDefinition, content);
}

test('a directory that engines make for root is told of for another user alone', () => {
  expect(made({ user: 'web', workingDirectory: '/srv/none' })).toEqual({ directory: '/srv/none', uid: 101 });
  expect(made({ user: '101', workingDirectory: '/www/none' })).toEqual({ directory: '/www/none', uid: 101 });
  expect(made({ user: 'web', workingDirectory: '/www' })).toBeUndefined();
  expect(made({ user: 'web' })).toBeUndefined();
  expect(made({ workingDirectory: '/srv/none' })).toBeUndefined();
});
