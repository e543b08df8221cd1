import { printable } from '../model/names.ts';
import { DEPENDENCY_KINDS, type RecipeVersion, type ShownRecipe } from '../pipeline/recipe-facts.ts';
import { shownPath } from './render-error.ts';
import { textTable } from './text-table.ts';

/** What a recipe says, and where its versions have been built. */
export function recipeLines(recipe: ShownRecipe, cwd: string): string[] {
  const { name, description, homepage, license, repository, path, replaces, patches, tests } = recipe;
  const facts = [
    ['homepage', homepage],
    ['licence', license],
    ['class', recipe.class],
    ['recipe', `${shownPath(path, cwd)} of ${repository}`],
    ['provides', recipe.provides.length === 0 ? undefined : recipe.provides.join(', ')],
    ['replaces', replaces.length === 0 ? undefined : replaces.join(', ')],
    ...DEPENDENCY_KINDS.map((kind) => [`needs (${kind})`, recipe.dependencies[kind].join(', ') || undefined]),
    ...recipe.capabilities.map((file, index) => [
      index === 0 ? 'capabilities' : '',
      `${file.path}: ${file.capabilities.join(', ')}`,
    ]),
    ...tests.map((words, index) => [index === 0 ? 'tests' : '', words.join(' ')]),
  ].flatMap(([title, text]) => (text === undefined ? [] : [[title!, printable(text)]]));
  return [
    `${name}${description === undefined ? '' : `: ${printable(description)}`}`,
    ...plainTable(facts),
    ...textTable([{ title: 'VERSION' }, { title: 'BUILT' }], recipe.versions.map(versionRow)),
    ...flagTable(recipe.flags),
    ...(patches.length === 0
      ? []
      : textTable(
          [{ title: 'PATCH' }, { title: 'FOR' }],
          patches.map(({ path: file, version, description: purpose }) => [
            printable(file),
            printable(
              [version === undefined ? '' : `${version} only`, purpose ?? ''].filter((part) => part !== '').join('; '),
            ),
          ]),
        )),
  ];
}

function plainTable(rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : textTable([{ title: '' }, { title: '' }], rows).slice(1);
}

function versionRow({ version, builds }: RecipeVersion): string[] {
  const places = builds.map(
    ({ place, platforms }) => `${place === undefined ? 'here' : `'${place}'`} (${platforms.join(', ')})`,
  );
  return [version, places.length === 0 ? 'nowhere yet' : places.join(', ')];
}

function flagTable(flags: ShownRecipe['flags']): string[] {
  if (flags.length === 0) return [];
  const rows = flags.map(({ name, default: isOn, description = '', when, requires, conflicts, dependencies }) => [
    name,
    isOn ? 'on' : 'off',
    printable(
      [
        description,
        ...(when === undefined ? [] : [`at ${when} only`]),
        ...(requires.length === 0 ? [] : [`with ${requires.join(', ')}`]),
        ...(conflicts.length === 0 ? [] : [`not with ${conflicts.join(', ')}`]),
        ...(dependencies.length === 0 ? [] : [`needs ${dependencies.join(', ')}`]),
      ]
        .filter((part) => part !== '')
        .join('; '),
    ),
  ]);
  return textTable([{ title: 'FLAG' }, { title: 'DEFAULT' }, { title: '' }], rows);
}
