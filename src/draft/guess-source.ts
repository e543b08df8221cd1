import { isVersion } from '../model/names.ts';

const ARCHIVE = /\.(?:tar(?:\.(?:gz|xz|bz2|zst|lzma))?|tgz|txz|tbz2?|tzst)$/i;

export interface NamedSource {
  /** Lower case, undefined where nothing tells it. */
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** What a file name or URL tells: `nginx-1.22.1.tar.gz`, `jq_1.6.orig.tar.gz`, `…/krallin/tini/archive/v0.19.0.tar.gz`. */
export function guessFromLocation(location: string): NamedSource {
  const path = location.split(/[?#]/, 1)[0]!;
  const elements = path.split('/').filter((element) => element !== '');
  const base = (elements.at(-1) ?? '').replace(ARCHIVE, '').replace(/\.orig$/, '');
  const found = guessFromStem(base);
  if (found.name !== undefined) return found;
  // Archives of a forge: https://HOST/OWNER/NAME/archive/…
  const archive = elements.findLastIndex((element) => /^(?:archive|-|tarball|releases)$/.test(element));
  const project = archive > 2 ? elements[archive - 1] : undefined;
  return { name: nameOf(project ?? (found.version === undefined ? base : undefined)), version: found.version };
}

/** No file has a longer name. */
const LONGEST_STEM = 255;

/** `nginx-1.22.1` is a name and a version, `v0.19.0` a version, `nginx` a name. */
export function guessFromStem(stem: string): NamedSource {
  if (stem.length > LONGEST_STEM) return { name: undefined, version: undefined };
  const alone = /^v?([0-9][0-9A-Za-z+.~_-]*)$/.exec(stem)?.[1];
  if (alone !== undefined) return { name: undefined, version: versionOf(alone) };
  const [, name, version] = /^(.+?)[-_.]v?([0-9][0-9A-Za-z+.~]*(?:[-_](?:rc|alpha|beta|p)[0-9.]*)?)$/.exec(stem) ?? [];
  return { name: nameOf(name), version: versionOf(version) };
}

function nameOf(text: string | undefined): string | undefined {
  const name = text?.toLowerCase().replace(/[^a-z0-9+._-]/g, '-');
  return name !== undefined && /^[a-z0-9][a-z0-9+._-]{0,63}$/.test(name) ? name : undefined;
}

function versionOf(text: string | undefined): string | undefined {
  return text !== undefined && isVersion(text) ? text : undefined;
}

/** The URL with the version as a template, so that another version is one line. Short numbers are left alone. */
export function templatedUrl(url: string, version: string): string {
  if (!/[.]/.test(version) && version.length < 4) return url;
  const [scheme = '', host = '', ...path] = url.split(/(?<=^https:\/\/)|(?<=^https:\/\/[^/]*)(?=\/)/);
  return scheme + host + path.join('').replaceAll(version, '{{version}}');
}
