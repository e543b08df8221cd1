import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { printedEvents } from './support/events.ts';
import { filesBelow, imageDigests } from './support/image-digests.ts';
import { internetCalls, tracingSockets } from './support/internet-calls.ts';
import { mountsAt, processesAt, temporaryFiles } from './support/leftovers.ts';
import { openPerson, openPlace, type Person, removeLock } from './support/place.ts';
import { type InstalledResult, type InstalledRun, runInstalled } from './support/run-installed.ts';
import { ordinaryUser } from './support/users.ts';

/** A whole build takes half a minute on an idle machine. */
const BUILD_MS = 600_000;

const place = openPlace();

function buildHello(person: Person, changes: Partial<InstalledRun> = {}): Promise<InstalledResult> {
  return runInstalled({ installation: place.installation(), person, args: ['hello/'], ...changes });
}

/** HASHes change with every recipe; their form does not. */
function withoutHashes(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, 'A-UUID');
}

requires('archive', 'user namespaces').describe('hello', () => {
  let person: Person;
  let first: InstalledResult;

  beforeAll(async () => {
    person = openPerson(place, 'somebody', 'hello', undefined);
    first = await buildHello(person);
  }, BUILD_MS);

  describe('built from an empty store', () => {
    test('ends with the founding transcript', async () => {
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      await expect(withoutHashes(first.stdout)).toMatchFileSnapshot('../golden/e2e/hello-first.txt');
    });

    test('gives an OCI image layout, tagged with the version', () => {
      const layout = join(person.container, 'out/oci');
      expect(readFileSync(join(layout, 'oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
      const [, version] = /^ {4}version: (\S+)$/m.exec(readFileSync(join(person.container, 'container.yaml'), 'utf8'))!;
      expect(imageDigests(person)).toEqual({ [version!]: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    });

    test('leaves no process, mount or temporary file', () => {
      expect({ processes: processesAt(place), mounts: mountsAt(place), files: temporaryFiles(person) }).toEqual({
        processes: [],
        mounts: [],
        files: [],
      });
    });
  });

  describe('built again', () => {
    test('says where it found everything, and that is all it does', async () => {
      const again = await buildHello(person);
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      await expect(withoutHashes(again.stdout)).toMatchFileSnapshot('../golden/e2e/hello-again.txt');
    });

    test('fetches, converts and builds nothing', async () => {
      const again = await buildHello(person, { args: ['hello/', '--verify', '--progress=json'] });
      const events = printedEvents(again.stderr);
      const found = events.filter(({ kind }) => kind === 'package-found');
      expect(events.filter(({ kind }) => kind === 'package-started')).toHaveLength(found.length);
      expect(found.length).toBeGreaterThan(0);
      expect(events.filter(({ kind }) => /^task-|package-(missed|built)/.test(kind))).toEqual([]);
    });

    const traced = requires('strace').test;
    traced.each([
      { title: 'nothing changed', args: ['hello/'] },
      { title: 'all is verified', args: ['hello/', '--verify'] },
      { title: 'it is told that there is no network', args: ['hello/', '--offline', '--verify'] },
      { title: 'everything is frozen', args: ['hello/', '--frozen', '--verify'] },
    ])('opens no socket to anywhere when $title', async ({ args }) => {
      const trace = join(place.path, 'trace');
      const again = await buildHello(person, { args, through: tracingSockets(trace) });
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(again.stdout).toContain('Found HASH locally... [OK]');
      expect(internetCalls(trace)).toEqual([]);
    });

    traced('would be seen if it opened one', () => {
      const trace = join(place.path, 'trace');
      const [program, ...parameters] = tracingSockets(trace);
      const connect = "require('node:net').connect(9, '127.0.0.1').on('error', () => {})";
      spawnSync(program!, [...parameters, process.execPath, '-e', connect]);
      expect(internetCalls(trace)).not.toEqual([]);
    });

    test('restores the same bytes where the results were removed', async () => {
      const out = join(person.container, 'out');
      const before = filesBelow(out);
      rmSync(out, { recursive: true });
      const again = await buildHello(person);
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(again.stdout).not.toContain("Can't find HASH");
      expect(filesBelow(out)).toEqual(before);
    });

    test.each(['--locked', '--frozen'])('is the same with %s', async (flag) => {
      const lock = readFileSync(join(person.container, 'buildit.lock'));
      const before = filesBelow(join(person.container, 'out'));
      const again = await buildHello(person, { args: ['hello/', flag, '--verify'] });
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(filesBelow(join(person.container, 'out'))).toEqual(before);
      expect(readFileSync(join(person.container, 'buildit.lock'))).toEqual(lock);
    });

    test.each(['--locked', '--frozen'])('is refused with %s where there is no lock, and writes none', async (flag) => {
      const other = openPerson(place, `without-lock${flag}`, 'hello', undefined);
      removeLock(other);
      const refused = await buildHello({ ...other, store: person.store }, { args: ['hello/', flag] });
      expect(refused.exitCode).toBe(65);
      expect(refused.stderr).toContain('buildit.lock');
      expect(existsSync(join(other.container, 'buildit.lock'))).toBe(false);
      expect(readdirSync(other.container)).not.toContain('out');
    });
  });

  describe('has the same image digest', () => {
    const missing = ['bwrap', 'xz', 'flock'];
    const hosts = [
      { title: 'built by an ordinary user of a host without bwrap, xz and flock', isRoot: false, hide: missing },
      {
        title: 'built by root on a host without bwrap, xz and flock',
        isRoot: true,
        hide: missing,
        needs: ['long tests'],
      },
      { title: 'built by an ordinary user', isRoot: false, hide: [], needs: ['long tests'] },
    ];
    for (const [number, { title, isRoot, hide, needs = [] }] of hosts.entries()) {
      requires('unshare', 'setpriv', ...(isRoot ? ['root'] : []), ...needs).test(
        title,
        async () => {
          const user = isRoot ? undefined : ordinaryUser(number);
          const other = openPerson(place, `host-${number}`, 'hello', user);
          const built = await buildHello(other, { hide });
          expect(built, built.stderr).toMatchObject({ exitCode: 0 });
          expect(built.stdout).toContain("Can't find HASH in any known location...");
          expect(imageDigests(other)).toEqual(imageDigests(person));
          const ownTools = readdirSync(join(other.store, 'tools'));
          expect(ownTools, 'what the host lacks comes from Debian').toHaveLength(hide.length === 0 ? 0 : 1);
          expect({ processes: processesAt(place), mounts: mountsAt(place), files: temporaryFiles(other) }).toEqual({
            processes: [],
            mounts: [],
            files: [],
          });
        },
        BUILD_MS,
      );
    }
  });
});
