import { ARCHIVE_READERS } from './archive-readers.ts';
import { DEBIAN_READERS } from './debian-readers.ts';
import { DOCUMENT_READERS } from './document-readers.ts';
import type { HostileReader } from './hostile-reader.ts';
import { KEY_READERS } from './key-readers.ts';
import { PATCH_READERS } from './patch-readers.ts';
import { PROGRAM_READERS } from './program-readers.ts';
import { REGISTRY_READERS } from './registry-readers.ts';
import { WORD_READERS } from './word-readers.ts';

/** Every reader of bytes from elsewhere. */
export const READERS: readonly HostileReader[] = [
  ...DOCUMENT_READERS,
  ...WORD_READERS,
  ...PATCH_READERS,
  ...DEBIAN_READERS,
  ...ARCHIVE_READERS,
  ...REGISTRY_READERS,
  ...KEY_READERS,
  ...PROGRAM_READERS,
];
