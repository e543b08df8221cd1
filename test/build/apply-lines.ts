import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApplyPatches } from '../../src/build/prepare-workspace.ts';
import { BuilditError } from '../../src/model/errors.ts';

/** A patch of these tests is a line that is added to the file `patched`; the line `bad` is rejected. */
export const applyLines: ApplyPatches = async (directory, patches) => {
  for (const { text } of patches) {
    if (text === 'bad') throw new BuilditError('patch-rejected', 'Cannot apply "bad"');
    appendFileSync(join(directory, 'patched'), `${text}\n`);
  }
};
