import { localFiles } from './local-files.ts';
import { placeWriter } from './place-writer.ts';
import type { RemoteWriter } from './remote-place.ts';
import { uploadOwner } from './upload-owner.ts';

const FILES_AT_ONCE = 16;

/** A directory of this machine, or one that is mounted here. */
export function openFilePlace(directory: string): RemoteWriter {
  return placeWriter(localFiles(directory), { shown: directory, atOnce: FILES_AT_ONCE, owner: uploadOwner() });
}
