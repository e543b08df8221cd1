import { ALTERNATIVES } from './alternatives.ts';

/** Version of everything here and of `ALTERNATIVES`. A change of it changes what images hold. */
export const SCRIPT_EFFECTS_VERSION = 1;

/**
 * What an image needs of what a maintainer script would have done. `parts` are paths of files in the image whose bytes
 * follow each other in the new file.
 */
export type ScriptEffect =
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'concatenation'; readonly path: string; readonly mode: number; readonly parts: readonly string[] };

/** The paths of a merged tree, without leading slashes; a `Set`, or a `Map` by path. */
export interface TreePaths {
  has(path: string): boolean;
  keys(): Iterable<string>;
}

const CERTIFICATES = 'usr/share/ca-certificates/';
const CERTIFICATE_BUNDLE = 'etc/ssl/certs/ca-certificates.crt';

/** What stands in for the maintainer scripts of the packages in a tree, sorted by path. What is there stays as it is. */
export function scriptEffects(tree: TreePaths): readonly ScriptEffect[] {
  return [...certificateBundle(tree), ...alternativeLinks(tree)]
    .filter(({ path }) => !tree.has(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The links of `ALTERNATIVES` whose name is free and one of whose targets is there. */
export function alternativeLinks(tree: Pick<TreePaths, 'has'>): readonly (ScriptEffect & { readonly kind: 'link' })[] {
  return Object.entries(ALTERNATIVES).flatMap(([path, targets]) => {
    const target = targets.find((name) => tree.has(besides(path, name)));
    return target === undefined || tree.has(path) ? [] : [{ kind: 'link', path, target }];
  });
}

/**
 * `update-ca-certificates` of ca-certificates: every certificate the package ships, one after the other, in the order of
 * their names. The hashed links beside the bundle are not made: OpenSSL and GnuTLS of Debian read the bundle.
 */
function certificateBundle(tree: TreePaths): readonly ScriptEffect[] {
  const parts = [...tree.keys()].filter((path) => path.startsWith(CERTIFICATES) && path.endsWith('.crt')).sort();
  return parts.length === 0 ? [] : [{ kind: 'concatenation', path: CERTIFICATE_BUNDLE, mode: 0o644, parts }];
}

/** A target of a link as a path of the tree. */
function besides(path: string, target: string): string {
  const elements = path.split('/').slice(0, -1);
  for (const element of target.split('/')) {
    if (element === '..') elements.pop();
    else elements.push(element);
  }
  return elements.join('/');
}
