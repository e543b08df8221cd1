import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const VALIDATORS = 'scripts/compile-validators.js';

/**
 * Compiles src/ to dist/ once before the tests, when it changed: tests run the real bin/buildit.js. The new dist/ takes
 * the old one's place in one step, for another run of tests may be using it.
 */
export default function compile(): void {
  const state = sourceState();
  if (readState() === state) return;
  const fresh = `${dist}.${process.pid}`;
  const { stdout } = spawnSync(process.execPath, tscArguments(fresh), { cwd: root, encoding: 'utf8' });
  if (!existsSync(join(fresh, 'cli/main.js'))) throw new Error(`Cannot compile src/: ${stdout}`);
  execFileSync(process.execPath, [VALIDATORS, fresh], { cwd: root });
  writeFileSync(join(fresh, '.state'), state);
  const old = `${dist}.old.${process.pid}`;
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } catch {
    // Another run was faster; its result serves as well.
    rmSync(fresh, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

function tscArguments(outDir: string): string[] {
  return [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', outDir];
}

function readState(): string | undefined {
  return existsSync(join(dist, '.state')) ? readFileSync(join(dist, '.state'), 'utf8') : undefined;
}

/** Changes with every change of a source file. */
function sourceState(): string {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const schemas = readdirSync(join(root, 'schemas')).map((name) => join('schemas', name));
  const others = ['tsconfig.json', 'tsconfig.build.json', VALIDATORS, ...schemas];
  const lines = [...files.map((name) => join('src', name)), ...others].sort().map((name) => {
    const { mtimeMs, size } = statSync(join(root, name));
    return `${name} ${mtimeMs} ${size}`;
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
