import { join } from 'node:path';
import { Problems } from '../document/problems.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import type { Discovery, OfferedRecipes } from './discovery.ts';
import type { BuilditJson, NamedRecipes } from './parse-buildit-json.ts';

/** What one place offers; the steps that led there are added in the end. */
export type Offer = Omit<Discovery, 'location' | 'steps'>;

/** What a place offers that says nothing. */
export const NOTHING: Offer = {
  description: undefined,
  revision: undefined,
  recipes: [],
  binhosts: [],
  images: [],
  signers: [],
};

/** Where a buildit.json was found, which its paths are relative to. */
export type Origin =
  | { readonly kind: 'web' }
  | { readonly kind: 'directory'; readonly directory: string }
  | {
      readonly kind: 'git';
      readonly directory: string;
      readonly url: string;
      readonly ref: string | undefined;
      readonly revision: string;
    };

/** @throws BuilditError, BuilditErrors `input-invalid` for recipes that are not where the file says. */
export async function offerOf(json: BuilditJson, origin: Origin): Promise<Offer> {
  const problems = new Problems('input-invalid');
  const recipes: OfferedRecipes[] = [];
  for (const named of json.recipes) recipes.push(await offeredRecipes(named, origin, problems));
  problems.throwAll();
  const revision = origin.kind === 'git' ? origin.revision : undefined;
  return {
    ...NOTHING,
    description: json.description,
    revision,
    recipes,
    binhosts: json.binhosts,
    signers: json.signers,
  };
}

async function offeredRecipes(named: NamedRecipes, origin: Origin, problems: Problems): Promise<OfferedRecipes> {
  const { name } = named;
  const nowhere = { name, git: undefined, ref: undefined, revision: undefined, path: '.', directory: undefined };
  if (named.kind === 'git') return { ...nowhere, git: named.git, ref: named.ref };
  if (origin.kind === 'web') return nowhere;
  const { path, node } = named;
  const file = await resolveInside(origin.directory, path === '.' ? 'repository.yaml' : `${path}/repository.yaml`);
  if (file.kind !== 'file') {
    const found = file.kind === 'outside' ? 'a link that leaves it' : 'none';
    problems.add(node, `Cannot use "${path}": expected a directory with a repository.yaml, found ${found}`);
  }
  const { url, ref, revision } =
    origin.kind === 'git' ? origin : { url: undefined, ref: undefined, revision: undefined };
  return { name, git: url, ref, revision, path, directory: join(origin.directory, path) };
}
