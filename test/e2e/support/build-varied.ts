import { expect } from 'vitest';
import { printedEvents } from './events.ts';
import { type ImageDigests, imageDigests } from './image-digests.ts';
import { openPerson, type Place } from './place.ts';
import { runInstalled } from './run-installed.ts';
import { ordinaryUser } from './users.ts';
import type { Variation } from './variations.ts';

/** Nothing varied. */
export const AS_IS: Variation = { title: 'as it is', needs: [], changes: () => ({}) };

const DAY_MS = 86_400_000;
let persons = 0;

/** Builds an example from an empty store, on a machine that differs from this one, and gives the digests of its images. */
export async function buildVaried(place: Place, example: string, variation: Variation): Promise<ImageDigests> {
  persons += 1;
  const { names, isOtherUser, isLater } = variation;
  const user = isOtherUser === true ? ordinaryUser(1) : undefined;
  const person = openPerson(place, `${names?.home ?? 'home'}-${persons}`, example, user);
  const { args = [], ...changes } = variation.changes(place);
  const run = { installation: place.installation(names?.installation), person, ...changes };
  const offline = isLater === true ? ['--offline'] : [];
  if (isLater === true) {
    const fetched = await runInstalled({ ...run, environment: {}, args: ['fetch', `${example}/`] });
    expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
  }
  const built = await runInstalled({ ...run, args: [`${example}/`, '--progress=json', ...offline, ...args] });
  expect(built.exitCode, withoutLogs(built.stderr)).toBe(0);
  const events = printedEvents(built.stderr);
  expect(events.filter(({ kind }) => kind === 'package-built').length).toBeGreaterThan(0);
  const aheadMs = Date.parse(events[0]!.time) - Date.now();
  expect(Math.abs(Math.round(aheadMs / DAY_MS))).toBe(isLater === true ? 365 : 0);
  return imageDigests(person);
}

function withoutLogs(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !/"kind":"task-(log|progress)"/.test(line))
    .join('\n');
}
