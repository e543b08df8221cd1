import { scalarsAt } from '../document/fields.ts';
import type { YamlNode } from '../document/yaml-node.ts';
import type { Atom } from '../model/package.ts';
import { DEBIAN_CATEGORY, likeliestReading, packageName, readingsOfAtom } from './atom.ts';
import type { DefinitionContext } from './definition-context.ts';
import type { Recipe } from './recipe.ts';

/**
 * What an atom means: of its readings the first whose name is a recipe of the container or of a repository, else the
 * recipe that provides the name. Complains and returns undefined when there is none, or when several provide it. Whether
 * a Debian package exists is known when the archive is asked.
 */
export async function readAtom(node: YamlNode, text: string, context: AtomContext): Promise<Atom | undefined> {
  const { library, embedded, problems } = context;
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
  const providers = likeliest === readings[0] && isNameAlone(likeliest) ? await providersOf(likeliest, context) : [];
  const [provider, other] = providers;
  if (provider !== undefined && (other === undefined || context.requested === undefined)) return named(provider);
  if (provider !== undefined) {
    const found = `Cannot choose what provides "${text}": expected one recipe, found ${providers.join(', ')}`;
    const hint = `ask for one of them: - package: {type: repository, name: ${provider}}`;
    problems.add(node, found, { code: 'dependency-unsatisfied', hint });
    return undefined;
  }
  const message = `Cannot find "${text}": expected a recipe ${packageName(likeliest)} in the repositories, found none`;
  problems.add(node, message, {
    code: 'dependency-unsatisfied',
    hint: (await library.suggest(likeliest)) ?? NO_RECIPE_HINT,
  });
  return undefined;
}

const NO_RECIPE_HINT = 'write one, or let one that is there say under "provides" that it stands for this name';

/** Those that the container asks for, else all of the repositories. */
async function providersOf(atom: Atom, { library, requested }: AtomContext): Promise<readonly string[]> {
  const name = packageName(atom);
  const asked = [...(requested?.values() ?? [])].filter(({ root }) =>
    scalarsAt(root, 'provides').some(({ text }) => text === name),
  );
  return asked.length > 0 ? asked.map((recipe) => recipe.name) : await library.providers(name);
}

function isNameAlone({ version, range }: Atom): boolean {
  return version === undefined && range === undefined;
}

function named(text: string): Atom {
  const [category, name] = text.split('/') as [string, string];
  return { category, name };
}

function hintFor(text: string): string | undefined {
  if (/^[~^=!<>]/.test(text)) return 'a comma ends an entry of a list: quote the whole, "dev-libs/openssl>=3.0,<4"';
  if (/^debian\/[^~^=!<>]+[~^=!<>]/.test(text)) return 'Debian packages take no version here: the lock pins them';
  if (/^[^~^=!<>]+[~^=!<>]/.test(text))
    return 'ranges are written like dev-libs/openssl>=3.0,<4 or www-servers/nginx~1.26';
  return undefined;
}

export interface AtomContext extends Pick<DefinitionContext, 'library' | 'problems'> {
  readonly requested: ReadonlyMap<string, Recipe> | undefined;
  readonly embedded: ReadonlySet<string>;
}
