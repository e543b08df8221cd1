import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerCompression } from '../model/container.ts';
import type { DiffId, KeptLayer } from '../model/layer.ts';
import { writeEncoding } from '../store/encodings.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { archiveRefusal } from './archive-refusal.ts';
import { canonicalLayerPath } from './canonical-layer-path.ts';
import { compress, encoderOf, mediaTypeOf } from './compress.ts';
import { TreePlace } from './draft-place.ts';
import { type EntryFacts, type FinishedDraft, LayerDraft } from './layer-draft.ts';
import { listingBytes } from './listing.ts';
import { MemoryPlace } from './memory-place.ts';
import type { TarMember } from './tar-member.ts';
import { adoptWholeTree } from './whole-tree.ts';
import { layerTar } from './write-tar.ts';

export interface KeepRules {
  /** `fixed`: every entry has this time. `archive`: each its own, but none later than `newest`. Seconds. */
  readonly mtime:
    | { readonly kind: 'fixed'; readonly seconds: number }
    | { readonly kind: 'archive'; readonly newest?: number };
  readonly owner: 'root' | 'archive';
  /**
   * Another path for a member's, or undefined to leave it out. `canonicalLayerPath` unless given; the base layer, which
   * owns the links that one leads through, gives `(path) => path`.
   */
  readonly mapPath?: (path: string) => string | undefined;
  /** Compresses the layer in the same pass and keeps that encoding, where it is known to be wanted. */
  readonly encode?: LayerCompression;
  /**
   * `later`: the tree is not written, because it may never be wanted; `ensureTree` makes it of the encoding, which must
   * be asked for. `now` by default.
   */
  readonly tree?: 'now' | 'later';
  /** What the archive is called in messages. */
  readonly what?: string;
}

/**
 * Makes a layer of an archive's members and keeps it: its tree, its listing, and what its ELF files need. The tree is
 * unpacked into a private directory and appears when it is whole; the same members and rules give the same layer on every
 * machine. Refuses ('archive-refused') what `unpackTree` refuses. Every directory above an entry gets an entry of its own.
 */
export async function keepLayer(store: Store, members: AsyncIterable<TarMember>, rules: KeepRules): Promise<KeptLayer> {
  const isTreeWanted = rules.tree !== 'later' || rules.encode === undefined;
  const temporary = await openTemporary(store, 'layer');
  const directory = join(temporary.path, 'tree');
  const place = isTreeWanted ? new TreePlace(directory, whatOf(rules)) : new MemoryPlace(directory, whatOf(rules));
  try {
    mkdirSync(directory, { mode: 0o700 });
    const draft = await fillDraft(new LayerDraft(place, whatOf(rules)), members, rules);
    const { diffId, size } = await writeLayer(store, draft, rules.encode);
    const { digest } = await putBlob(store, listingBytes(draft.listing));
    const layer = { diffId, size, listing: digest, elf: draft.elf };
    if (isTreeWanted) await adoptWholeTree(store, layer, directory);
    return layer;
  } finally {
    place.release();
    await temporary.release();
  }
}

async function fillDraft(
  draft: LayerDraft,
  members: AsyncIterable<TarMember>,
  rules: KeepRules,
): Promise<FinishedDraft> {
  let newest = 0;
  for await (const member of members) {
    const path = mappedPath(member, member.path, rules);
    if (path === undefined) continue;
    const facts = factsOf(member, rules);
    newest = Math.max(newest, facts.mtime);
    const target = member.type === 'hardlink' ? mappedPath(member, member.target, rules) : undefined;
    await draft.add(path, member, facts, target ?? member.target);
  }
  return draft.finish(rules.mtime.kind === 'fixed' ? rules.mtime.seconds : newest);
}

function mappedPath(member: TarMember, path: string, rules: KeepRules): string | undefined {
  const { mapPath = canonicalLayerPath } = rules;
  const mapped = mapPath(path);
  const isOwnedByBase = mapped === undefined && mapPath === canonicalLayerPath;
  if (isOwnedByBase && member.type !== 'directory' && member.type !== 'symlink') {
    throw archiveRefusal(
      `${whatOf(rules)}: ${member.path}`,
      'a directory or link of the base layer',
      `a ${member.type}`,
    );
  }
  return mapped;
}

function factsOf({ mode, uid, gid, mtime }: TarMember, rules: KeepRules): EntryFacts {
  const owner = rules.owner === 'root' ? { uid: 0, gid: 0 } : { uid, gid };
  if (rules.mtime.kind === 'fixed') return { mode, ...owner, mtime: rules.mtime.seconds };
  return { mode, ...owner, mtime: Math.min(mtime, rules.mtime.newest ?? mtime) };
}

function whatOf({ what = 'archive' }: KeepRules): string {
  return what;
}

const BYTES_BETWEEN_PAUSES = 8 * 2 ** 20;

/** Writes the layer's tar to nowhere, or compressed into a blob, for its digest and size. */
async function writeLayer(
  store: Store,
  { listing, readContent }: FinishedDraft,
  encode: LayerCompression | undefined,
): Promise<{ diffId: DiffId; size: number }> {
  const measured = new MeasuredLayer();
  const bytes = measured.pass(layerTar(listing, readContent));
  if (encode === undefined) {
    for await (const _ of bytes);
    return measured.finish();
  }
  const blob = await putBlob(store, compress(bytes, encode));
  const { diffId, size } = measured.finish();
  await writeEncoding(store, diffId, { encoder: encoderOf(encode), mediaType: mediaTypeOf(encode), ...blob });
  return { diffId, size };
}

/** Digest and size of the bytes of a layer that pass by. */
class MeasuredLayer {
  readonly #hash = createHash('sha256');
  #size = 0;

  async *pass(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of bytes) {
      const before = this.#size;
      this.#hash.update(chunk);
      this.#size += chunk.length;
      // Small files are read synchronously: without a pause nothing else would get a turn.
      if (Math.floor(this.#size / BYTES_BETWEEN_PAUSES) > Math.floor(before / BYTES_BETWEEN_PAUSES)) {
        await new Promise((resume) => setImmediate(resume));
      }
      yield chunk;
    }
  }

  finish(): { readonly diffId: DiffId; readonly size: number } {
    return { diffId: this.#hash.digest('hex'), size: this.#size };
  }
}
