import { printable } from '../../model/names.ts';
import type { PatchState } from '../../pipeline/patch-states.ts';
import { textTable } from '../text-table.ts';

const MAXIMUM_FAILURES = 5;
const OWNERS = { own: '', recipe: 'of the recipe: ', user: 'yours: ' } as const;

/** A table of how patches fare, with what does not fit below each. */
export function patchStateLines(states: readonly PatchState[]): string[] {
  const rows = states.map((state) => [
    `${OWNERS[state.owner]}${printable(state.patch)}`,
    String(state.hunks),
    stateText(state),
  ]);
  const columns = [{ title: 'PATCH' }, { title: 'HUNKS', align: 'right' as const }, { title: 'STATE' }];
  const [title = '', ...lines] = textTable(columns, rows);
  return [title, ...states.flatMap((state, index) => [lines[index]!, ...detailLines(state)])];
}

function stateText({ state, failures }: PatchState): string {
  switch (state) {
    case 'clean':
      return 'applies';
    case 'offset':
      return 'applies with offset';
    case 'applied':
      return 'already applied';
    case 'rejected':
      return `fails at ${place(failures[0]!)}`;
  }
}

function detailLines({ offsets, failures }: PatchState): string[] {
  const hidden = failures.length - MAXIMUM_FAILURES;
  return [
    ...offsets,
    ...failures.slice(0, MAXIMUM_FAILURES).map(({ reason }) => reason),
    ...(hidden > 0 ? [`and ${hidden} more`] : []),
  ].map((line) => `  ${printable(line)}`);
}

function place({ file, line }: PatchState['failures'][number]): string {
  return `${printable(file ?? 'no place')}${line === undefined ? '' : `:${line}`}`;
}

/** `1 file, 2 hunks, +3 -1`. */
export function sizeOfPatch(size: { files: number; hunks: number; added: number; removed: number }): string {
  return `${counted(size.files, 'file')}, ${counted(size.hunks, 'hunk')}, +${size.added} -${size.removed}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
