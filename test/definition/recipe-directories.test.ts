import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { recipeDirectories } from '../../src/definition/debian-dependencies.ts';
import { createWitness, looksUnchanged } from '../../src/system/witness.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('what the recipes of a repository are', () => {
  const additions: Readonly<Record<string, (directory: string) => void>> = {
    'a recipe of a category that is there': (directory) => addRecipe(directory, 'app-text/more'),
    'a recipe of a new category': (directory) => addRecipe(directory, 'net-misc/curl'),
    'a pkg.yaml where there was a directory without one': (directory) =>
      writeFileSync(join(directory, 'app-text/empty/pkg.yaml'), ''),
  };

  test.each(Object.keys(additions))('looks different to a witness after %s was added', async (what) => {
    const directory = temporaryDirectory();
    addRecipe(directory, 'app-text/tree');
    mkdirSync(join(directory, 'app-text/empty'));
    const witness = createWitness();
    expect(await recipeDirectories(directory, witness)).toEqual([join(directory, 'app-text/tree')]);
    expect(witness.sightings().every(looksUnchanged)).toBe(true);
    additions[what]!(directory);
    expect(witness.sightings().every(looksUnchanged)).toBe(false);
  });
});

function addRecipe(directory: string, name: string): void {
  mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, name, 'pkg.yaml'), '');
}
