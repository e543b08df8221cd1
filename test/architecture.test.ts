import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));

const everything = [
  'model',
  'system',
  'store',
  'layer',
  'config',
  'definition',
  'lock',
  'debian',
  'plan',
  'remote',
  'signing',
  'binhost',
  'discover',
  'edit',
  'draft',
  'cache',
  'fetch',
  'registry',
  'build',
  'patching',
  'image',
  'publish',
];

/** Which folder may import values of which other folders. Types may come from these and from `typesFrom`. */
const mayImport: Record<string, readonly string[]> = {
  model: [],
  system: ['model'],
  store: ['model', 'system'],
  layer: ['model', 'system', 'store'],
  document: ['model', 'system'],
  config: ['model', 'system', 'document'],
  definition: ['model', 'system', 'document'],
  edit: ['model', 'document'],
  draft: ['model', 'document', 'edit'],
  debian: ['model', 'system', 'store', 'layer'],
  lock: ['model', 'system', 'store'],
  plan: ['model'],
  remote: ['model', 'system'],
  signing: ['model', 'system'],
  binhost: ['model', 'system', 'store', 'layer', 'remote', 'signing'],
  discover: ['model', 'system', 'document', 'remote'],
  cache: ['model', 'system', 'store', 'layer', 'signing', 'remote', 'binhost'],
  fetch: ['model', 'system', 'store'],
  registry: ['model', 'system', 'store', 'layer'],
  build: ['model', 'system', 'store', 'layer'],
  patching: ['model', 'system', 'document'],
  image: ['model', 'system', 'store', 'layer'],
  publish: ['model', 'system', 'store', 'layer'],
  pipeline: [...everything, 'document'],
  'pipeline.ts': [...everything, 'pipeline'],
  cli: [...everything, 'document', 'pipeline', 'pipeline.ts'],
};

const stages = ['definition', 'lock', 'debian', 'plan', 'cache', 'fetch', 'build', 'image', 'publish'];

function sourceFiles(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function folderOf(path: string): string {
  return path.slice(source.length + 1).split('/')[0]!;
}

function importsOf(path: string): { target: string; typeOnly: boolean }[] {
  const text = readFileSync(path, 'utf8');
  const imports: { target: string; typeOnly: boolean }[] = [];
  for (const [, kind, target] of text.matchAll(
    /^(import type|import|export type|export)\s[^;'"]*?from\s+'([^']+)'/gm,
  )) {
    imports.push({ target: target!, typeOnly: kind!.endsWith('type') });
  }
  for (const [, target] of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g))
    imports.push({ target: target!, typeOnly: false });
  return imports;
}

describe('the house', () => {
  test('imports go in one direction', () => {
    const culprits: string[] = [];
    for (const path of sourceFiles(source)) {
      const folder = folderOf(path);
      for (const { target, typeOnly } of importsOf(path)) {
        if (!target.startsWith('.')) continue;
        const imported = folderOf(normalize(join(dirname(path), target)));
        if (imported === folder || mayImport[folder]?.includes(imported)) continue;
        const earlier = stages.slice(0, Math.max(0, stages.indexOf(folder)));
        if (typeOnly && earlier.includes(imported)) continue;
        culprits.push(`${path.slice(source.length + 1)} imports ${typeOnly ? 'types' : 'values'} of ${imported}/`);
      }
    }
    expect(culprits).toEqual([]);
  });

  test.each(['plan', 'edit', 'draft'])('%s/ touches no disk, network, clock or environment', (folder) => {
    const culprits = sourceFiles(join(source, folder)).filter((path) =>
      /node:(fs|http|https|net|child_process|os)|process\.|Date\.now|new Date\(\)|Math\.random/.test(
        readFileSync(path, 'utf8'),
      ),
    );
    expect(culprits).toEqual([]);
  });

  test('every folder is on the map', () => {
    const map = readFileSync(join(source, 'README.md'), 'utf8');
    const folders = readdirSync(source).filter((name) => statSync(join(source, name)).isDirectory());
    expect(folders.filter((folder) => !map.includes(`\`${folder}/\``))).toEqual([]);
    expect(folders.filter((folder) => !(folder in mayImport))).toEqual([]);
  });

  test('no file is called after nothing', () => {
    const vague = sourceFiles(source).filter((path) => /\/(index|utils?|helpers?|common|misc)\.ts$/.test(path));
    expect(vague).toEqual([]);
  });

  test('one file asks where the files of the user are', () => {
    const asks =
      /\b(?:homedir|userInfo|tmpdir)\b|(?:environment|env)(?:\.|\[')(?:HOME|XDG_[A-Z_]+|TMPDIR|SSH_AUTH_SOCK|GNUPGHOME|CARGO_HOME|GOENV|GOPATH|NETRC|PIP_CONFIG_FILE|NPM_CONFIG_USERCONFIG)\b/;
    const culprits = sourceFiles(source).filter((path) => asks.test(readFileSync(path, 'utf8')));
    expect(culprits.map((path) => path.slice(source.length + 1)).sort()).toEqual([
      // GOENV=off, which is no path.
      'registry/host-registries.ts',
      // Words of the error where there is no home.
      'system/needed-directories.ts',
      'system/user-directories.ts',
    ]);
  });

  test('no list of any length becomes the arguments of a call', () => {
    const culprits = sourceFiles(source).filter((path) =>
      /\.(?:push|unshift)\(\.\.\./.test(readFileSync(path, 'utf8')),
    );
    expect(culprits).toEqual([]);
  });

  test('only the command line prints', () => {
    const culprits = sourceFiles(source).filter(
      (path) => folderOf(path) !== 'cli' && /\bconsole\.|process\.std(out|err)/.test(readFileSync(path, 'utf8')),
    );
    expect(culprits).toEqual([]);
  });
});
