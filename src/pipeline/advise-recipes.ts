import { dirname, join, relative } from 'node:path';
import { findConfigFiles, userConfigPath } from '../config/config-files.ts';
import { yamlText } from '../edit/yaml-text.ts';
import { PROJECT_CONFIG } from '../model/config-names.ts';
import type { NewOptions } from './new-run.ts';

/**
 * Which configuration is to name a new repository of recipes, and how. A directory's own takes relative paths below it
 * alone; recipes elsewhere are the user's to name.
 */
export function adviseRecipes(
  { cwd, environment }: Pick<NewOptions, 'cwd' | 'environment'>,
  { name, directory }: { readonly name: string; readonly directory: string },
): string {
  const nearest = findConfigFiles(cwd, environment).find(({ kind }) => kind === 'project')?.path;
  const project = nearest ?? join(cwd, PROJECT_CONFIG);
  const below = pathBelow(dirname(project), directory);
  const file = (below === undefined ? userConfigPath(environment) : project) ?? '~/.config/buildit/config.yaml';
  const path = yamlText(below === undefined ? directory : `./${below}`, { flow: true });
  return `that ${pathBelow(cwd, file) ?? file} names it: recipes: [{name: ${name}, path: ${path}}]`;
}

function pathBelow(directory: string, path: string): string | undefined {
  const below = relative(directory, path);
  return below === '' || below === '..' || below.startsWith('../') ? undefined : below;
}
