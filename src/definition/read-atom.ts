import type { YamlNode } from '../document/yaml-node.ts';
import type { Atom } from '../model/package.ts';
import { DEBIAN_CATEGORY, likeliestReading, packageName, readingsOfAtom } from './atom.ts';
import type { DefinitionContext } from './definition-context.ts';

/**
 * What an atom means: of its readings the first whose name is a recipe of the container or of a repository. Complains
 * and returns undefined when there is none. Whether a Debian package exists is known when the archive is asked.
 */
export async function readAtom(
  node: YamlNode,
  text: string,
  { library, embedded, problems }: AtomContext,
): Promise<Atom | undefined> {
  const readings = readingsOfAtom(text);
  for (const reading of readings) {
    if (reading.category === DEBIAN_CATEGORY || embedded.has(packageName(reading))) return reading;
    if (await library.has(reading)) return reading;
  }
  const likeliest = likeliestReading(readings);
  if (likeliest === undefined) {
    const hint = hintFor(text);
    problems.expected(node, 'package', 'a package such as dev-libs/openssl or debian/libssl3', { hint });
    return undefined;
  }
  const message = `Cannot find "${text}": expected a recipe ${packageName(likeliest)} in the repositories, found none`;
  problems.add(node, message, { code: 'dependency-unsatisfied', hint: await library.suggest(likeliest) });
  return undefined;
}

function hintFor(text: string): string | undefined {
  if (/^[~^=!<>]/.test(text)) return 'a comma ends an entry of a list: quote the whole, "dev-libs/openssl>=3.0,<4"';
  if (/^debian\/[^~^=!<>]+[~^=!<>]/.test(text)) return 'Debian packages take no version here: the lock pins them';
  if (/^[^~^=!<>]+[~^=!<>]/.test(text))
    return 'ranges are written like dev-libs/openssl>=3.0,<4 or www-servers/nginx~1.26';
  return undefined;
}

export interface AtomContext extends Pick<DefinitionContext, 'library' | 'problems'> {
  readonly embedded: ReadonlySet<string>;
}
