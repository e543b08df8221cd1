import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './installation.ts';
import type { Place } from './place.ts';

/** The releases that buildit is for. */
export const NODE_RELEASES = [20, 22, 24] as const;

/** A program `node` of another release, from its npm package (185 MB, kept for the next time), where every user may run it. */
export function installNode(place: Place, release: (typeof NODE_RELEASES)[number]): string {
  const name = `node-linux-${process.arch}`;
  const cache = join(repository, 'node_modules/.cache/buildit-tests', `node-${release}`);
  const cached = join(cache, 'node_modules', name, 'bin/node');
  if (!existsSync(cached)) {
    mkdirSync(cache, { recursive: true });
    execFileSync(
      'npm',
      ['install', '--prefix', cache, '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${release}`],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
  }
  const directory = join(place.path, `node-${release}`);
  mkdirSync(directory, { recursive: true });
  const program = join(directory, 'node');
  if (!existsSync(program)) copyFileSync(cached, program);
  chmodSync(program, 0o755);
  return program;
}
