import { archiveRefusal } from '../layer/archive-refusal.ts';
import { decompress } from '../layer/decompress.ts';
import { readTar } from '../layer/read-tar.ts';
import type { DebPart } from './open-deb.ts';

const MAXIMUM_CONTROL_BYTES = 64 << 20;
const MAXIMUM_FILE_BYTES = 16 << 20;
const MAXIMUM_STANZA_BYTES = 1 << 20;

/** Reads files of a package's control archive; `control` itself must be there. */
export async function readControlFiles(
  part: DebPart,
  wanted: readonly string[],
  what: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const options = { what: `control.tar of ${what}` };
  const found = new Map<string, Buffer>();
  const bytes = decompress(part.bytes, part.compression, { ...options, maxBytes: MAXIMUM_CONTROL_BYTES });
  for await (const member of readTar(bytes, options)) {
    if (!wanted.includes(member.path)) continue;
    const most = member.path === 'control' ? MAXIMUM_STANZA_BYTES : MAXIMUM_FILE_BYTES;
    if (found.has(member.path) || member.type !== 'file' || member.size > most) {
      throw archiveRefusal(options.what, `one small file "${member.path}"`, 'another kind of it');
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of member.content) chunks.push(Buffer.from(chunk));
    found.set(member.path, Buffer.concat(chunks));
  }
  if (!found.has('control')) throw archiveRefusal(options.what, 'a file "control"', 'none');
  return found;
}
