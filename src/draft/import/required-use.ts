import type { DraftFlag } from '../recipe-draft.ts';
import type { DraftNotes } from './draft-notes.ts';
import { readUseString, useText } from './use-string.ts';

/** What REQUIRED_USE says of each flag: `a? ( b !c )` is that a requires b and conflicts with c; the rest is noted. */
export function readRequiredUse(
  text: string,
  flags: ReadonlySet<string>,
  notes: DraftNotes,
): ReadonlyMap<string, Required<Pick<DraftFlag, 'requires' | 'conflicts'>>> {
  const found = new Map<string, { requires: string[]; conflicts: string[] }>();
  for (const part of readUseString(text)) {
    const isSimple =
      part.kind === 'group' &&
      flags.has(part.operator) &&
      part.parts.every(
        (one) => one.kind === 'word' && flags.has(one.word.replace(/^!/, '')) && one.word !== part.operator,
      );
    if (!isSimple) {
      notes.todo('flags', `REQUIRED_USE is not translated: ${useText(part)}`);
      continue;
    }
    const flag = found.get(part.operator) ?? { requires: [], conflicts: [] };
    found.set(part.operator, flag);
    for (const one of part.parts) {
      if (one.kind !== 'word') continue;
      const [list, name] = one.word.startsWith('!') ? [flag.conflicts, one.word.slice(1)] : [flag.requires, one.word];
      if (!list.includes(name)) list.push(name);
    }
  }
  return found;
}
