import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { type ImageDigests, imageDigests } from './support/image-digests.ts';
import { repository } from './support/installation.ts';
import { openPlace, type Person } from './support/place.ts';
import { readmeCommands } from './support/readme.ts';
import { environmentOf, inOwnNamespaces } from './support/run-installed.ts';
import { asUser, giveTo, ordinaryUser, type User } from './support/users.ts';

const NGINX_MS = 3_600_000;

const place = openPlace();

/** A person whose home holds nothing but a clone, with a store that is not there yet. */
function clonedBy(user: User, name: string): Person {
  const home = join(place.path, name);
  const clone = join(home, 'buildit');
  mkdirSync(home);
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', repository, clone]);
  giveTo(user, home);
  return { user, home, store: join(home, 'store'), container: join(clone, 'examples/nginx-prod') };
}

/** Has a person type a command in the clone, on a machine that lacks some programs. */
function typeInClone(
  person: Person,
  command: string,
  hide: readonly string[],
): Promise<{ exitCode: number | null; said: string }> {
  const chain = [...inOwnNamespaces({ hide }), ...asUser(person.user), 'bash', '-c', command];
  const registry = execFileSync('npm', ['config', 'get', 'registry'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const child = spawn(chain[0]!, chain.slice(1), {
    cwd: join(person.home, 'buildit'),
    env: { ...environmentOf({ person }), npm_config_registry: registry },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, said }));
  });
}

requires('long tests', 'archive', 'user namespaces', 'git', 'npm', 'unshare', 'setpriv').describe(
  "a fresh clone, given the README's first command",
  () => {
    const [command] = readmeCommands(join(repository, 'README.md'));
    const missing = ['bwrap', 'xz', 'flock', 'gcc', 'cc', 'make'];
    const persons = [
      { title: 'by whoever runs the tests', user: undefined, hide: [] },
      { title: 'by an ordinary user of a host that has only Node', user: ordinaryUser(1), hide: missing },
    ];
    let expected: ImageDigests | undefined;

    for (const [number, { title, user, hide }] of persons.entries()) {
      test(
        `ends with an OCI image and an ACI ${title}`,
        async () => {
          const person = clonedBy(user, `person-${number}`);
          const { exitCode, said } = await typeInClone(person, command!, hide);
          expect(exitCode, said).toBe(0);
          const digests = imageDigests(person);
          expect(Object.values(digests)).toEqual(
            expect.arrayContaining([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha512-/)]),
          );
          expected ??= digests;
          expect(digests).toEqual(expected);
        },
        NGINX_MS,
      );
    }
  },
);
