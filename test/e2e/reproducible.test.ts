import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { AS_IS, buildVaried } from './support/build-varied.ts';
import type { ImageDigests } from './support/image-digests.ts';
import { openPlace } from './support/place.ts';
import { bubblewrapWithClock, clockLibrary } from './support/sandbox-clock.ts';
import { allAtOnce, VARIATIONS } from './support/variations.ts';

const HELLO_MS = 600_000;
const NGINX_MS = 3_600_000;

const place = openPlace();

requires('archive', 'user namespaces', 'setpriv', 'unshare', 'long tests').describe(
  'hello has the same image digest',
  () => {
    let expected: ImageDigests;

    beforeAll(async () => {
      expected = await buildVaried(place, 'hello', AS_IS);
    }, HELLO_MS);

    const sameNode = VARIATIONS.filter(({ title }) => !title.includes('Node'));
    const everything = allAtOnce('with all of this at once, by the same Node', sameNode);
    requires(...everything.needs).test(
      everything.title,
      async () => {
        expect(await buildVaried(place, 'hello', everything)).toEqual(expected);
      },
      HELLO_MS,
    );

    for (const variation of VARIATIONS) {
      requires(...variation.needs).test(
        variation.title,
        async () => {
          expect(await buildVaried(place, 'hello', variation)).toEqual(expected);
        },
        HELLO_MS,
      );
    }
  },
);

requires('archive', 'user namespaces', 'setpriv', 'unshare', 'long tests').describe('nginx-prod', () => {
  const everything = allAtOnce('has the same digests with everything varied at once', VARIATIONS);
  requires(...everything.needs).test(
    everything.title,
    async () => {
      const expected = await buildVaried(place, 'nginx-prod', AS_IS);
      expect(Object.values(expected)).toEqual(expect.arrayContaining([expect.stringMatching(/^sha512-/)]));
      expect(await buildVaried(place, 'nginx-prod', everything)).toEqual(expected);
    },
    NGINX_MS,
  );
});

requires('bwrap', 'faketime', 'user namespaces').test('the other clock is seen in a sandbox', () => {
  const programs = bubblewrapWithClock(join(place.path, 'clock-alone'), clockLibrary()!);
  const bubblewrap = [
    '--unshare-all',
    '--clearenv',
    '--ro-bind',
    '/',
    '/',
    '--tmpfs',
    '/run',
    '--',
    '/bin/date',
    '+%s',
  ];
  const secondsAhead = Number(execFileSync(join(programs, 'bwrap'), bubblewrap, { env: {} })) - Date.now() / 1000;
  expect(Math.round(secondsAhead / 86_400)).toBe(365);
});
