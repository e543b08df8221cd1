import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/model/digest.ts';
import { REPOSITORY } from './buildit.ts';
import type { Place } from './place.ts';

/**
 * What a made repository is like. Packages stand in stacks: each is linked to two of the level below it in its stack and
 * to one of the first stack, so that a root holds about five packages for each level below. The uppermost of a stack are
 * built with many others of all stacks.
 */
export interface RepositoryShape {
  readonly stacks: number;
  readonly levels: number;
  /** Packages of one level of a stack. */
  readonly width: number;
  /** Packages that those of the uppermost level are built with, besides what they are linked to. */
  readonly fan: number;
}

/** 10,000 packages, chains of 100, roots of 5 to 10,000 packages. */
export const LARGE: RepositoryShape = { stacks: 20, levels: 100, width: 5, fan: 20 };
export const FIFTY: RepositoryShape = { stacks: 2, levels: 5, width: 5, fan: 5 };

interface MadePackage {
  readonly name: string;
  readonly link: readonly string[];
  readonly build: readonly string[];
}

export function madeRecipes({ stacks, levels, width, fan }: RepositoryShape): readonly MadePackage[] {
  const nameOf = (stack: number, level: number, slot: number) => `stack-${stack}/package-${level}-${slot % width}`;
  const packages: MadePackage[] = [];
  for (let stack = 0; stack < stacks; stack += 1) {
    for (let level = 0; level < levels; level += 1) {
      for (let slot = 0; slot < width; slot += 1) {
        const below = level === 0 ? [] : [nameOf(stack, level - 1, slot), nameOf(stack, level - 1, slot + 1)];
        const beside = stack === 0 || level === 0 ? [] : [nameOf(0, level >> 1, slot)];
        const isTop = level === levels - 1;
        const fanned = isTop ? Array.from({ length: fan }, (_, index) => index % stacks) : [];
        const others = fanned.filter((other) => other !== stack);
        packages.push({
          name: nameOf(stack, level, slot),
          link: [...below, ...beside],
          build: [...new Set(others.map((other) => nameOf(other, levels - 2, slot)))],
        });
      }
    }
  }
  return packages;
}

/**
 * Writes a repository of such recipes, with the root and the lock of `repos/main`, and beside it a container that asks
 * for what no other package is linked to. Answers the container's directory.
 */
export function writeMadeRepository(place: Place, name: string, shape: RepositoryShape): string {
  const directory = place.path(name);
  const recipes = madeRecipes(shape);
  for (const recipe of recipes) {
    mkdirSync(join(directory, 'recipes', recipe.name), { recursive: true });
    writeFileSync(join(directory, 'recipes', recipe.name, 'pkg.yaml'), recipeText(recipe));
  }
  for (const file of ['repository.yaml', 'buildit.lock']) {
    cpSync(join(REPOSITORY, 'repos', 'main', file), join(directory, 'recipes', file));
  }
  const container = join(directory, 'container');
  mkdirSync(container, { recursive: true });
  writeFileSync(join(directory, '.buildit-config.yaml'), 'recipes: [{ name: main, path: ./recipes }]\n');
  const carried = new Set(recipes.flatMap(({ link }) => link));
  const asked = recipes.filter((recipe) => !carried.has(recipe.name));
  const steps = asked.map((recipe) => `- package: { type: repository, name: ${recipe.name} }`);
  const first = `- vars: { name: ${name}, version: 1.0.0, os: linux, arch: amd64 }`;
  writeFileSync(
    join(container, 'container.yaml'),
    [first, '- base: none', ...steps, '- image: { type: oci }', ''].join('\n'),
  );
  return container;
}

function recipeText({ name, link, build }: MadePackage): string {
  return `---
name: ${name}
description: What ${name} is for, in a sentence of usual length
homepage: https://example.org/${name}
license: MIT
versions:
  1.1.0: { sha256: ${sha256(`${name} 1.1.0`)} }
  1.0.0: { sha256: ${sha256(`${name} 1.0.0`)} }
source:
  url: https://example.org/${name}-{{version}}.tar.gz
class: none
root: minimal
flags:
  ipv6: { default: on, configure: [--with-ipv6] }
dependencies:
  build: [${build.join(', ')}]
  link: [${link.join(', ')}]
phases:
  configure: ./configure --prefix=/usr $BUILDIT_CONFIGURE
  install: make install DESTDIR="$DESTDIR"
`;
}
