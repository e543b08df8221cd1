import { printable } from '../model/names.ts';
import type { BuiltImage } from '../pipeline/contract.ts';
import { sizeText } from './quantities.ts';
import { shownPath } from './render-error.ts';
import { textTable } from './text-table.ts';

/** One line for each image: where it lies, what identifies it, how large it is. */
export function imageLines(images: readonly BuiltImage[], cwd: string): string[] {
  const rows = images.map(({ path, imageId, digest, size }) => [
    printable(shownPath(path, cwd)),
    imageId ?? digest ?? '',
    sizeText(size),
  ]);
  return textTable([{ title: '' }, { title: '' }, { title: '', align: 'right' }], rows).slice(1);
}
