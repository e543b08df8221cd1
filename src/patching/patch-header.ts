import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** What a patch says about itself; each but the description in one line. */
export interface PatchFacts {
  /** Its first line is a summary. */
  readonly description: string;
  readonly author?: string | undefined;
  /** Where it comes from: `upstream, https://…`, `vendor`, `other, …`. */
  readonly origin?: string | undefined;
  /** A URL, `no`, `not-needed` or `yes`. */
  readonly forwarded?: string | undefined;
  readonly lastUpdate?: string | undefined;
}

/**
 * The lines above a diff, as DEP-3 has them (https://dep-team.pages.debian.net/deps/dep3/), with the empty line that ends
 * them. Nothing is dated by itself: the same facts give the same bytes.
 */
export function patchHeader({ description, author, origin, forwarded, lastUpdate }: PatchFacts): string {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['Author', author],
    ['Origin', origin],
    ['Forwarded', forwarded],
    ['Last-Update', lastUpdate],
  ];
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${oneLine(name, value)}`]));
  return `${[`Description: ${folded(description)}`, ...lines].join('\n')}\n\n`;
}

/** Further lines begin with a space, empty ones with ` .`: none of them can be taken for a part of the diff. */
function folded(description: string): string {
  const [first = '', ...rest] = description.trim().replaceAll('\r\n', '\n').split('\n');
  if (first === '') throw refusal('Description', description);
  return [first, ...rest.map((line) => (line.trim() === '' ? ' .' : ` ${line}`))].map(shownText).join('\n');
}

function oneLine(name: string, value: string): string {
  const text = value.trim();
  if (text === '' || /[\r\n]/.test(text)) throw refusal(name, value);
  return shownText(text);
}

function shownText(line: string): string {
  return printable(line.replaceAll('\t', ' '));
}

function refusal(name: string, value: string): BuilditError {
  return new BuilditError(
    'usage',
    `Cannot write "${name}" into a patch: expected one line of text, found "${printable(value)}"`,
  );
}

/** What stands above the first diff of a patch, byte for byte; of the diff's own lines nothing. */
export function headerOf(patch: string): string {
  const lines = patch.split('\n');
  const first = lines.findIndex(
    (line, index) =>
      line.startsWith('diff --git ') || (line.startsWith('--- ') && lines[index + 1]?.startsWith('+++ ') === true),
  );
  let end = Math.max(first, 0);
  while (end > 0 && /^(?:diff |Index: |index |=+\r?$)/.test(lines[end - 1]!)) end -= 1;
  return lines
    .slice(0, end)
    .map((line) => `${line}\n`)
    .join('');
}
