// Compiles src/ and the schemas to dist/. Run by `npm ci` in a clone; an installed package brings dist/ along and has no
// compiler.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
if (existsSync(`${root}node_modules/typescript`)) {
  rmSync(`${root}dist`, { recursive: true, force: true });
  const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
  process.exitCode =
    run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json') || run('scripts/compile-validators.js', 'dist');
}
