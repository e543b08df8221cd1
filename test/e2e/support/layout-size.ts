import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes of all blobs of an OCI layout. */
export function layoutSize(layout: string): number {
  const blobs = join(layout, 'blobs/sha256');
  return readdirSync(blobs).reduce((sum, name) => sum + statSync(join(blobs, name)).size, 0);
}
