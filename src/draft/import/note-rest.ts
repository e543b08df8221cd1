import type { YamlMap } from '../../document/yaml-node.ts';
import { printable } from '../../model/names.ts';
import type { ShellFile } from '../shell/read-shell.ts';
import { valueText } from '../shell/shell-word.ts';
import type { DraftNotes } from './draft-notes.ts';

const MOST_SHOWN = 80;

/**
 * Notes the variables and functions of a shell file that no translator looks at. Names that begin with an underscore are
 * the file's own helpers: what uses them is looked at.
 */
export function noteShellRest(
  { values, functions }: ShellFile,
  known: { readonly variables: ReadonlySet<string>; readonly functions: ReadonlySet<string> },
  notes: DraftNotes,
): void {
  for (const [name, value] of values) {
    if (known.variables.has(name) || name.startsWith('_')) continue;
    const text = Array.isArray(value) ? value.join(' ') : (valueText(value) ?? '');
    if (text.trim() !== '') notes.todo('phases', `${printable(name)} is not translated: ${shown(text)}`);
  }
  for (const name of functions.keys()) {
    if (!known.functions.has(name) && !name.startsWith('_'))
      notes.todo('phases', `the function ${printable(name)} is not translated`);
  }
}

/** Notes the keys of a mapping that no translator looks at; `path` says where it is. */
export function noteKeysRest(
  map: YamlMap | undefined,
  path: string,
  known: ReadonlySet<string>,
  notes: DraftNotes,
): void {
  for (const { name, value } of map?.members ?? []) {
    if (known.has(name)) continue;
    const said = value.kind === 'scalar' ? `: ${shown(value.text)}` : '';
    notes.todo('phases', `${path}${printable(name)} is not translated${said}`);
  }
}

function shown(text: string): string {
  const line = printable(text.replace(/\s+/g, ' ').trim());
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
}
