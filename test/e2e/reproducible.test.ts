import { beforeAll, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { printedEvents } from './support/events.ts';
import { type ImageDigests, imageDigests } from './support/image-digests.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { type InstalledRun, runInstalled } from './support/run-installed.ts';
import { bubblewrapWithClock, clockLibrary } from './support/sandbox-clock.ts';
import { ordinaryUser } from './support/users.ts';
import { allAtOnce, VARIATIONS, type Variation } from './support/variations.ts';
