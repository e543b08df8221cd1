import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readingsOfAtom } from '../definition/atom.ts';
import { hostPlatform } from '../definition/host-platform.ts';
import { applyEdits } from '../definition/lint/apply-edits.ts';
import type { DefinitionFinding, TextEdit } from '../definition/lint/definition-finding.ts';
import { type LintTarget, lintDefinitions } from '../definition/lint/lint-definitions.ts';
import { YAML_LIMITS } from '../document/compose-yaml.ts';
import { readBytes } from '../document/read-text.ts';
import type { Config } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { isPackageNamePart, printable } from '../model/names.ts';
import { writeFileDurably } from '../system/files.ts';

export interface LintOptions {
  readonly cwd: string;
  /** Directories, or names of recipes of the configured repositories. */
  readonly what: readonly string[];
  /** Mends what can be mended without changing what a file means. */
  readonly fix: boolean;
  configFor(directory: string): Promise<Pick<Config, 'recipes' | 'use' | 'userPatches'>>;
}

export interface LintOutcome {
  /** What is left, in the order of what was asked for. */
  readonly findings: readonly DefinitionFinding[];
  /** How many were mended. */
  readonly fixed: number;
}

/** Judges definitions; with `fix` mends what it can and judges again what came of it. */
export async function lint(options: LintOptions): Promise<LintOutcome> {
  const findings: DefinitionFinding[] = [];
  let fixed = 0;
  for (const asked of options.what) {
    const target = await findTarget(asked, options);
    const judged = { config: await options.configFor(target.directory), platform: hostPlatform() };
    let found = await lintDefinitions(target, judged);
    for (let round = 0; options.fix && round < MOST_ROUNDS && found.some(({ fix }) => fix !== undefined); round += 1) {
      fixed += await applyFixes(found.flatMap(({ fix }) => fix ?? []));
      found = await lintDefinitions(target, judged);
    }
    for (const finding of found) findings.push(finding);
  }
  return { findings, fixed };
}

/** One mended line may be a part of another: a second round mends that. */
const MOST_ROUNDS = 5;

const FILES = [
  ['container', 'container.yaml'],
  ['repository', 'repository.yaml'],
  ['package', 'pkg.yaml'],
] as const;

async function findTarget(asked: string, { cwd, configFor }: LintOptions): Promise<LintTarget> {
  const directory = resolve(cwd, asked);
  for (const [kind, file] of FILES) if (existsSync(join(directory, file))) return { kind, directory };
  const known = (await configFor(cwd)).recipes;
  for (const { category, name } of readingsOfAtom(asked)) {
    if (!isPackageNamePart(category) || !isPackageNamePart(name)) continue;
    const place = known
      .map(({ path }) => join(path, category, name))
      .find((path) => existsSync(join(path, 'pkg.yaml')));
    if (place !== undefined) return { kind: 'package', directory: place };
  }
  const status = await stat(directory).catch(() => undefined);
  const found = status === undefined ? 'neither' : status.isDirectory() ? 'a directory without any' : 'a file';
  const isDefinition = status?.isFile() === true && FILES.some(([, file]) => file === basename(directory));
  throw new BuilditError(
    'file-missing',
    `Cannot lint "${printable(asked)}": expected a directory with a container.yaml, a pkg.yaml or a repository.yaml, or the name of a recipe, found ${found}`,
    {
      hint: isDefinition
        ? `did you mean ${printable(dirname(asked))}?`
        : 'buildit lint nginx-prod/, buildit lint repos/main, or buildit lint www-servers/nginx',
    },
  );
}

/** Writes each file at most once; one that is damaged meanwhile is whole, old or new. */
async function applyFixes(edits: readonly TextEdit[]): Promise<number> {
  let fixed = 0;
  for (const path of new Set(edits.map((edit) => edit.path))) {
    const bytes = await readBytes(path, { name: path, maximumBytes: YAML_LIMITS.bytes, code: 'definition-invalid' });
    const { text, made } = applyEdits(
      bytes.toString('utf8'),
      edits.filter((edit) => edit.path === path),
    );
    const { mode } = await stat(path);
    await writeFileDurably(path, text, { mode: mode & 0o777 });
    fixed += made;
  }
  return fixed;
}
