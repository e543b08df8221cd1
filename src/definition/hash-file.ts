import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { FORMAT_BYTES } from '../model/archive-format.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';

/** More than any source; a sparse file of any size costs its author nothing. */
const MAXIMUM_BYTES = 2 * 2 ** 30;

/**
 * Hashes a regular file that a definition names; its last element is not followed where it is a link. `start` is the first
 * `FORMAT_BYTES` of it, or a little less.
 */
export async function hashFile(
  path: string,
  shownPath: string,
  witness: Witness | undefined,
): Promise<{ readonly sha256: Digest; readonly executable: boolean; readonly start: Buffer }> {
  const shown = printable(shownPath);
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch((cause) => {
    throw new BuilditError(
      'definition-invalid',
      `Cannot read "${shown}": expected a readable file, found ${cause.code}`,
      {
        cause,
      },
    );
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) {
      throw new BuilditError(
        'definition-invalid',
        `Cannot read "${shown}": expected a regular file, found something else`,
      );
    }
    if (status.size > MAXIMUM_BYTES) {
      const message = `Cannot read "${shown}": expected at most ${MAXIMUM_BYTES} bytes, found ${status.size}`;
      throw new BuilditError('definition-invalid', message);
    }
    witness?.read(path);
    const hash = createHash('sha256');
    const buffer = Buffer.alloc(256 * 1024);
    let start: Buffer | undefined;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      start ??= Buffer.from(buffer.subarray(0, Math.min(bytesRead, FORMAT_BYTES)));
      hash.update(buffer.subarray(0, bytesRead));
    }
    return { sha256: hash.digest('hex'), executable: (status.mode & 0o100) !== 0, start: start ?? Buffer.alloc(0) };
  } finally {
    await file.close();
  }
}
