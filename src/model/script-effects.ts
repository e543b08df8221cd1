import { ALTERNATIVES } from './alternatives.ts';

/** A link that a maintainer script would have made. */
export interface AlternativeLink {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

/** The paths of a merged tree, without leading slashes; a `Set`, or a `Map` by path. */
export interface TreePaths {
  has(path: string): boolean;
}

/** The links of `ALTERNATIVES` whose name is free and one of whose targets is there. */
export function alternativeLinks(tree: TreePaths): readonly AlternativeLink[] {
  return Object.entries(ALTERNATIVES).flatMap(([path, targets]) => {
    const target = targets.find((name) => tree.has(besides(path, name)));
    return target === undefined || tree.has(path) ? [] : [{ kind: 'link', path, target }];
  });
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
