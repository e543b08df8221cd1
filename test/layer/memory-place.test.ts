import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LayerDraft } from '../../src/layer/layer-draft.ts';
import { MemoryPlace } from '../../src/layer/memory-place.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import { layerTar } from '../../src/layer/write-tar.ts';
import { sha256 } from '../../src/model/digest.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { collect, inChunks } from './raw-tar.ts';

const contents = {
  'a-small': Buffer.alloc(1000, 'a'),
  'b-large': Buffer.alloc(300_000, 'b'),
  'c-large': Buffer.alloc(250_000, 'c'),
  'd-small': Buffer.alloc(2000, 'd'),
};

async function tarOf(memoryBytes: number) {
  const directory = temporaryDirectory();
  const draft = new LayerDraft(new MemoryPlace(directory, 'x', memoryBytes), 'x');
  for (const [path, content] of Object.entries(contents)) {
    const { whole: _, ...rest } = fileMember(path, content);
    const isLarge = content.length > 65_536;
    const member = isLarge ? { ...rest, content: inChunks(content, 65_536) } : fileMember(path, content);
    await draft.add(path, member, { mode: 0o644, uid: 0, gid: 0, mtime: 0 }, '');
  }
  const { listing, readContent } = draft.finish(0);
  return { digest: sha256(await collect(layerTar(listing, readContent))), files: readdirSync(directory).length };
}

describe('a place in memory', () => {
  test('gives the same bytes however much of them it holds', async () => {
    const { digest, files } = await tarOf(10_000_000);
    expect(files).toBe(0);
    expect(await tarOf(0)).toEqual({ digest, files: 4 });
    expect(await tarOf(310_000)).toEqual({ digest, files: 1 });
    expect(await tarOf(100_000)).toEqual({ digest, files: 2 });
  });
});
