import type { RemoteWriter } from '../remote/remote-place.ts';

/** Writes a file where another or none is there. */
export async function replaceIfOther(writer: RemoteWriter, path: string, bytes: Buffer): Promise<void> {
  const there = await writer.stat(path);
  if (there?.kind === 'file' && there.size === bytes.length) {
    const answer = await writer.read(path, { maximumBytes: bytes.length });
    if (typeof answer !== 'string' && answer.bytes.equals(bytes)) return;
  }
  await writer.replace(path, bytes);
}
