import type { Problems } from '../document/problems.ts';
import { cleanRelativePath } from '../document/resolve-inside.ts';
import { shorten, type YamlScalar } from '../document/yaml-node.ts';
import type { FileOwner } from '../model/container.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';

/** A scalar with its text after templating. */
export interface Text {
  readonly node: YamlScalar;
  readonly text: string;
}

export interface TextCheck {
  /** What the text is called in messages: `sync.dest`. */
  readonly label: string;
  readonly problems: Problems;
}

/** Complains that a text is not what was expected. */
export function refuseText(
  { node, text }: Text,
  expected: string,
  { label, problems }: TextCheck,
  hint?: string,
): undefined {
  const found = text === '' ? 'an empty text' : `"${shorten(text)}"`;
  problems.add(node, `Cannot read "${label}": expected ${expected}, found ${found}`, { hint });
  return undefined;
}

/** The text when it is acceptable, else undefined and a complaint. Absent texts are silently absent. */
export function acceptText(
  text: Text | undefined,
  expected: string,
  accepts: (text: string) => boolean,
  check: TextCheck,
): string | undefined {
  if (text === undefined) return undefined;
  return accepts(text.text) ? text.text : refuseText(text, expected, check);
}

/** An absolute path in an image, clean, without a trailing slash; `/` itself only where it is allowed. */
export function acceptImagePath(
  text: Text | undefined,
  check: TextCheck,
  { root = false }: { readonly root?: boolean } = {},
): string | undefined {
  if (text === undefined) return undefined;
  const path = text.text.replace(/(?<=.)\/$/, '');
  const isClean = path.startsWith('/') && (path === '/' ? root : isCleanRelativePath(path.slice(1)));
  if (isClean && Buffer.byteLength(path) < 4096 && printable(path) === path) return path;
  return refuseText(text, 'an absolute path without "." and ".." in it', check);
}

/** A path inside the directory of its file, clean: without the leading `./` and a trailing slash. */
export function acceptInsidePath(text: Text | undefined, check: TextCheck): string | undefined {
  if (text === undefined) return undefined;
  const path = cleanRelativePath(text.text);
  if (path !== undefined && printable(path) === path) return path;
  return refuseText(text, 'a relative path that stays inside the directory', check);
}

/** Permission bits, octal however they are written. */
export function acceptMode(
  node: YamlScalar | undefined,
  check: TextCheck,
  { sticky = false }: { readonly sticky?: boolean } = {},
): number | undefined {
  if (node === undefined) return undefined;
  const digits = /^(?:0o)?([0-7]{1,5})$/.exec(node.text)?.[1];
  const mode = digits === undefined ? Number.NaN : Number.parseInt(digits, 8);
  if (mode <= (sticky ? 0o1777 : 0o777)) return mode;
  const text = { node, text: node.text };
  if (digits === undefined) return refuseText(text, 'an octal mode such as 0644', check);
  const hint = 'set-user-ID and set-group-ID files are refused in images; the sticky bit (1777) is for directories';
  return refuseText(text, `an octal mode up to ${sticky ? '1777' : '0777'}`, check, hint);
}

const OWNER = /^(?<user>[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})(?<colon>:(?<group>[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10})?)?$/;
const LARGEST_ID = 4_294_967_294;

export const ROOT_OWNER: FileOwner = { user: '0', group: '0' };

/** `nginx:nginx`, `101:101`, `nginx` (group 0), `nginx:` (the group of that name); root's where absent. */
export function acceptOwner(text: Text | undefined, check: TextCheck): FileOwner {
  if (text === undefined) return ROOT_OWNER;
  const { user, colon, group } = OWNER.exec(text.text)?.groups ?? {};
  if (user === undefined || [user, group].some((id) => /^[0-9]/.test(id ?? '') && Number(id) > LARGEST_ID)) {
    refuseText(text, 'an owner such as nginx:nginx', check);
    return ROOT_OWNER;
  }
  return { user, group: group ?? (colon === undefined ? '0' : user) };
}

/** An https URL without user, password or fragment, as it will be asked for. */
export function acceptUrl(text: Text | undefined, check: TextCheck): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text.text) ? new URL(text.text) : undefined;
  const isOdd = /[\s\\]/.test(text.text) || printable(text.text) !== text.text || text.text.length > 2000;
  if (url?.protocol !== 'https:' || isOdd || !/^https:\/\/[^/?#]/i.test(text.text)) {
    return refuseText(text, 'an https URL', check);
  }
  if (url.username !== '' || url.password !== '') {
    check.problems.add(
      text.node,
      `Cannot read "${check.label}": expected an https URL without a user or password, found one`,
    );
    return undefined;
  }
  if (url.hash !== '') return refuseText(text, 'an https URL without a fragment ("#…")', check);
  return url.href;
}
