import { isTelling, type SeenTree } from '../draft/draft-from-tree.ts';
import { readSourceArchive } from '../layer/read-source-archive.ts';
import type { TarMember } from '../layer/tar-member.ts';
import type { Digest } from '../model/digest.ts';
import type { Store } from '../store/store.ts';

/** A licence or a manifest is smaller than this; of what is larger the beginning is looked at. */
const MOST_TEXT_BYTES = 256 * 1024;

/** Looks at the top of a source archive in the store: names, and the texts that tell what it is. Nothing is unpacked. */
export async function inspectArchive(store: Store, digest: Digest, what: string): Promise<SeenTree> {
  const members = readSourceArchive(store, { digest, fileName: what });
  const tops = new Set<string>();
  const inside = new Map<string, Set<string>>();
  const texts = new Map<string, string>();
  for await (const member of members) {
    const [top = '', name, ...deeper] = member.path.split('/');
    tops.add(top);
    if (name === undefined) {
      if (member.type === 'file' && isTelling(top)) texts.set(top, await textOf(member));
      continue;
    }
    inside.set(top, (inside.get(top) ?? new Set()).add(name));
    const isTop = deeper.length === 0 && member.type === 'file';
    if (isTop && isTelling(name)) texts.set(member.path, await textOf(member));
  }
  const [only, other] = tops;
  const directory = other === undefined && only !== undefined && inside.has(only) ? only : undefined;
  const topLevel = directory === undefined ? tops : inside.get(directory)!;
  const prefix = directory === undefined ? '' : `${directory}/`;
  return {
    directory,
    topLevel: [...topLevel].sort(),
    texts: Object.fromEntries(
      [...topLevel].flatMap((name) => {
        const text = texts.get(prefix + name);
        return text === undefined ? [] : [[name, text] as const];
      }),
    ),
  };
}

async function textOf({ content }: TarMember): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of content) {
    if (length < MOST_TEXT_BYTES) chunks.push(Buffer.from(chunk));
    length += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, MOST_TEXT_BYTES).toString('utf8');
}
