import { integerAt, scalarAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import { isUserName } from '../model/names.ts';
import type { PackageUser } from '../model/package.ts';
import { acceptImagePath, acceptText, refuseText, type Text, type TextCheck } from './checked-text.ts';

const LARGEST_USER_ID = 4_294_967_293;

/** A user of an image, as recipes and containers declare it. */
export function readUser(
  map: YamlMap,
  label: string,
  problems: Problems,
  rendered: (node: YamlScalar | undefined) => Text | undefined = asWritten,
): PackageUser | undefined {
  const check = (key: string) => ({ label: `${label}.${key}`, problems });
  const name = acceptText(rendered(scalarAt(map, 'name')), 'a user name such as nginx', isUserName, check('name'));
  const rules = { minimum: 0, maximum: LARGEST_USER_ID, problems };
  const uid = integerAt(map, 'uid', { ...rules, label: `${label}.uid` });
  const gid = integerAt(map, 'gid', { ...rules, label: `${label}.gid` });
  const home = acceptAccountPath(rendered(scalarAt(map, 'home')), check('home'));
  const shell = acceptAccountPath(rendered(scalarAt(map, 'shell')), check('shell'));
  if (name === undefined || uid === undefined) return undefined;
  return { name, uid, gid: gid ?? uid, home: home ?? '/', shell: shell ?? '/sbin/nologin' };
}

function asWritten(node: YamlScalar | undefined): Text | undefined {
  return node && { node, text: node.text };
}

/** The fields of passwd(5) are separated by colons. */
function acceptAccountPath(text: Text | undefined, check: TextCheck): string | undefined {
  if (text?.text.includes(':')) return refuseText(text, 'a path without ":"', check);
  return acceptImagePath(text, check, { root: true });
}
