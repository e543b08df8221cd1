import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** For readers that read files; whoever runs the readers removes it. */
export const scratch: string = mkdtempSync(join(tmpdir(), 'buildit-hostile-'));

export function scratchFile(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}
