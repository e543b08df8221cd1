import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Field names as written to values; lines of continuation follow a value after `\n`, their first blank removed. */
export type ControlStanza = ReadonlyMap<string, string>;

/** Debian policy 5.1: printable ASCII without blank and colon, not beginning with `#` or `-`. */
const FIELD = /^([!"$-,.-9;-~][!-9;-~]*):[ \t]*(.*)$/s;

/**
 * Reads one stanza of a control file (deb822(5)): `Field: value` lines, continued by lines that begin with a blank. A
 * field given twice, an empty line within, and every other line are errors. `place` names the file in messages.
 */
export function parseControlStanza(text: string, place: string, code: ErrorCode = 'archive-refused'): ControlStanza {
  const fields = new Map<string, string>();
  const seen = new Set<string>();
  let current: string | undefined;
  for (const line of withoutLastEmptyLines(text).split('\n')) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (current === undefined) throw refusal(code, place, 'a field', 'a continued line');
      fields.set(current, `${fields.get(current)}\n${line.slice(1)}`);
      continue;
    }
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) throw refusal(code, place, 'lines of the form "Field: value"', `"${shown(line)}"`);
    if (seen.has(name.toLowerCase())) throw refusal(code, place, 'each field once', `${shown(name)} twice`);
    seen.add(name.toLowerCase());
    fields.set(name, value!.trimEnd());
    current = name;
  }
  return fields;
}

/** The text without line ends at its end. */
export function withoutLastEmptyLines(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '\n') end -= 1;
  return text.slice(0, end);
}

function shown(text: string): string {
  return printable(text.slice(0, 60));
}

function refusal(code: ErrorCode, place: string, expected: string, found: string): BuilditError {
  return new BuilditError(code, `Cannot read "${place}": expected ${expected}, found ${found}`);
}
