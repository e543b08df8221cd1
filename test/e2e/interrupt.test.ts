import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { type ImageDigests, imageDigests } from './support/image-digests.ts';
import { mountsAt, processesAt, remainingProcesses, temporaryFiles } from './support/leftovers.ts';
import { MOMENTS, type Moment, stopAt } from './support/moments.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';
import { ordinaryUser, testsRunAsRoot } from './support/users.ts';

const BUILD_MS = 600_000;
/** More renames and links than assembling hello takes. */
const MOST_CRASHES = 60;

const place = openPlace();

requires('archive', 'user namespaces').describe('hello', () => {
  let undisturbed: ImageDigests;

  beforeAll(async () => {
    const person = openPerson(place, 'undisturbed', 'hello', undefined);
    await finish(person);
    undisturbed = imageDigests(person);
  }, BUILD_MS);

  const persons = [
    { title: testsRunAsRoot ? 'built by root' : 'built by an ordinary user', user: undefined, needs: [] },
    { title: 'built by an ordinary user', user: ordinaryUser(1), needs: ['root', 'setpriv', 'long tests'] },
  ];
  for (const [number, { title, user, needs }] of persons.entries()) {
    requires(...needs).describe(`${title} on one store`, () => {
      let person: Person;

      beforeAll(() => {
        person = openPerson(place, `person-${number}`, 'hello', user);
      });

      for (const moment of MOMENTS) {
        for (const stop of moment.stops) {
          test(`ends by ${stop} while it is ${moment.title}`, () => endsBy(stop, person, moment), BUILD_MS);
        }
      }

      test(
        'is then built as if nothing had happened, and nothing is left behind',
        async () => {
          await finish(person);
          expect(imageDigests(person)).toEqual(undisturbed);
          expectNothingLeft(person);
        },
        BUILD_MS,
      );

      requires('strace').test(
        'is assembled as if nothing had happened after a crash at each rename and each link',
        async () => {
          const crashes = await crashEverywhere(person, undisturbed);
          expect(crashes).toBeGreaterThan(5);
        },
        BUILD_MS,
      );
    });
  }
});

async function finish(person: Person): Promise<void> {
  const built = await runInstalled({ installation: place.installation(), person, args: ['hello/'] });
  expect(built, built.stderr).toMatchObject({ exitCode: 0 });
}

async function endsBy(stop: Moment['stops'][number], person: Person, moment: Moment): Promise<void> {
  const { wasReached, result } = await stopAt(moment, stop, { installation: place.installation(), person });
  expect(wasReached, `${moment.title} was never seen:\n${result.stderr}`).toBe(true);
  if (stop === 'kill -9') {
    expect(result.signal).toBe('SIGKILL');
    expect(await remainingProcesses(place, 10_000), 'the kernel ends what the dead process had started').toEqual([]);
    return;
  }
  expect(result.exitCode, result.stderr.slice(-2000)).toBe(130);
  expectNothingLeft(person);
}

function expectNothingLeft(person: Person): void {
  const left = { processes: processesAt(place), mounts: mountsAt(place), files: temporaryFiles(person) };
  expect(left).toEqual({ processes: [], mounts: [], files: [] });
}

/** Dies at the first call that makes a name, then at the second, and so on, each time from the same state. */
async function crashEverywhere(person: Person, expected: ImageDigests): Promise<number> {
  const calls = 'rename,renameat,renameat2,link,linkat';
  for (let crashes = 0; crashes < MOST_CRASHES; crashes += 1) {
    rmSync(join(person.container, 'out'), { recursive: true });
    const dying = await runInstalled({
      installation: place.installation(),
      person,
      args: ['hello/'],
      // strace counts the calls of each thread by itself.
      environment: { UV_THREADPOOL_SIZE: '1' },
      through: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `inject=${calls}:signal=KILL:when=${crashes + 1}`],
    });
    if (dying.exitCode === 0) return crashes;
    expect(dying.exitCode ?? dying.signal, dying.stderr).toSatisfy((end) => end === 'SIGKILL' || end === 137);
    await finish(person);
    expect(imageDigests(person)).toEqual(expected);
    expectNothingLeft(person);
  }
  throw new Error(`A run made more than ${MOST_CRASHES} names`);
}
