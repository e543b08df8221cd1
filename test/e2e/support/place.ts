import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { removeTree } from '../../../src/system/files.ts';
import { installBuildit, repository } from './installation.ts';
import { mountsAt } from './leftovers.ts';
import { endStartedRuns } from './run-installed.ts';
import { giveTo, type User } from './users.ts';

/** A directory for the tests of one file, which every user may pass through; removed when all of them are done. */
export interface Place {
  readonly path: string;
  /** A copy of the package below this place, made once for each name. */
  installation(name?: string): string;
}

/** To be called while tests are collected, not in one of them. */
export function openPlace(): Place {
  // podman makes a name of an image's path, and names are in lower case.
  const path = join(tmpdir(), `buildit-e2e-${randomBytes(6).toString('hex')}`);
  let isMade = false;
  const installed = new Map<string, string>();
  const place: Place = {
    // Made when it is first asked for: where all tests of a file are skipped, nothing is ever removed.
    get path() {
      if (!isMade) {
        mkdirSync(path);
        chmodSync(path, 0o755);
        isMade = true;
      }
      return path;
    },
    installation(name = 'installed') {
      const known = installed.get(name) ?? installBuildit(join(place.path, name));
      installed.set(name, known);
      return known;
    },
  };
  afterAll(async () => {
    endStartedRuns();
    // podman keeps a mount of its own storage.
    for (const mountPoint of mountsAt(place)) spawnSync('umount', ['--lazy', mountPoint]);
    await removeTree(path);
  }, 120_000);
  return place;
}

/** What a person who has never used buildit has: a home, and the directory of a container. The store is not there yet. */
export interface Person {
  readonly user: User;
  readonly home: string;
  readonly store: string;
  /** The copy of the example. */
  readonly container: string;
}

/** Gives somebody a copy of an example, without what building it has left beside it. */
export function openPerson(place: Place, name: string, example: string, user: User): Person {
  const home = join(place.path, name);
  const container = join(home, example);
  mkdirSync(home, { recursive: true });
  cpSync(join(repository, 'examples', example), container, {
    recursive: true,
    filter: (source) => source !== join(repository, 'examples', example, 'out'),
  });
  giveTo(user, home);
  return { user, home, store: join(home, 'store'), container };
}

/** Forgets what was pinned, as if the directory were new. */
export function removeLock({ container }: Person): void {
  rmSync(join(container, 'buildit.lock'), { force: true });
}
