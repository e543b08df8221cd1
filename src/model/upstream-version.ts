import { splitDebianVersion } from './debian-order.ts';
import { realVersion } from './loose-order.ts';
import { isVersion } from './names.ts';

/**
 * The version that an upstream project's tag names, undefined where it names none: `v1.2` is 1.2, `R_2_5_0` is 2.5.0,
 * `curl-8_14_1` is 8.14.1, `release-74-2` is 74.2. A project whose name ends in a digit has to be named where no dash
 * follows it: `bzip2_1_0_8` of `bzip2` is 1.0.8.
 */
export function versionOfTag(tag: string, project?: string): string | undefined {
  if (tag.length > 256) return undefined;
  const named = project !== undefined && tag.toLowerCase().startsWith(project.toLowerCase());
  const rest = named ? tag.slice(project.length).replace(/^[-_./]/, '') : tag;
  const bare = rest.replace(FRONT, '');
  if (!/^[0-9](?:.*[0-9A-Za-z])?$/.test(bare)) return undefined;
  // Dashes are dots only where nothing else is, and a date or a patch level stays what it is.
  const dotted = /^[0-9]+(?:-[0-9]+)+$/.test(bare)
    ? bare.replaceAll('-', '.')
    : bare.replaceAll(/(?<=[0-9])_(?=[0-9])/g, '.');
  const version = realVersion(dotted);
  return isVersion(version) ? version : undefined;
}

/** Words in front of the numbers; one with a digit in it is a name only when a dash follows, `v1_2` is 1.2. */
const FRONT = /^(?:[A-Za-z]+[-/_]|[A-Za-z]{2,}[0-9][A-Za-z0-9]*[-/])*[A-Za-z]*[-_.]?(?=[0-9])/;

/**
 * The upstream version in a Debian one: without epoch and revision, and without the mark of a repacked tarball.
 * `5:7.0.15-1~deb12u7` is 7.0.15, `1:1.3.dfsg+really1.3.1-1` is 1.3.1.
 */
export function upstreamOfDebianVersion(version: string): string {
  const { upstream } = splitDebianVersion(version);
  return realVersion(upstream).replace(/[+.~](?:dfsg|ds|repack)[.0-9]*$/, '');
}
