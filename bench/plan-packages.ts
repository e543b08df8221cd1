import { writeFileSync } from 'node:fs';
import { programCommand } from './support/buildit.ts';
import type { Finding } from './support/comparison.ts';
import { makeIndex } from './support/made-index.ts';
import { builderKey } from './support/made-packages.ts';
import { interleave } from './support/measure.ts';
import { type Place, removeTree } from './support/place.ts';
import { startWebServer } from './support/remote-servers.ts';
import { runProgram } from './support/run-program.ts';

const PACKAGES = { inBase: 4800, inTail: 200 };
/** Ten times that of the other benchmarks, so that whatever else disturbs a run is a small part of a round trip. */
const COUNTING_DELAY_MS = 500;

/** Where each of 5,000 packages is, asked of a binhost far away: counted are requests and round trips. */
export async function planPackages(place: Place, repetitions: number): Promise<readonly Finding[]> {
  const directory = place.path('plan-place');
  const hashes = await makeIndex(place, directory, PACKAGES);
  const hashesFile = place.path('plan-hashes.json');
  writeFileSync(hashesFile, JSON.stringify(hashes));
  const server = await startWebServer(place, directory, COUNTING_DELAY_MS);
  const requests = { cold: [] as number[], warm: [] as number[] };
  try {
    const contender = (at: string, state: 'cold' | 'warm') => {
      const store = place.path(`plan-store-${state}-${at.replace(/\W/g, '-')}`);
      const plan = () =>
        runProgram(programCommand('plan-packages', store, builderKey(place), server.ca, at, hashesFile));
      let before = 0;
      removeTree(store);
      if (state === 'warm') plan();
      return {
        name: state,
        prepare: () => {
          if (state === 'cold') removeTree(store);
          before = server.requests();
        },
        run: plan,
        after: () => {
          requests[state].push(server.requests() - before);
        },
      };
    };
    const [cold, coldDirect, warm, warmDirect] = await interleave(
      [
        contender(server.delayed, 'cold'),
        contender(server.direct, 'cold'),
        contender(server.delayed, 'warm'),
        contender(server.direct, 'warm'),
      ],
      repetitions,
    );
    const roundTrips = (delayed: typeof cold, direct: typeof cold) =>
      (Math.min(...delayed!.wallMs) - Math.min(...direct!.wallMs)) / (2 * COUNTING_DELAY_MS);
    const what = `planning ${hashes.length} packages`;
    return [
      { what: `${what}, nothing known`, amount: roundTrips(cold, coldDirect), unit: 'round trips', limit: 4 },
      { what: `${what}, nothing known`, amount: Math.max(...requests.cold), unit: 'requests', limit: 3 },
      { what: `${what}, nothing new`, amount: roundTrips(warm, warmDirect), unit: 'round trips', limit: 3 },
      { what: `${what}, nothing new`, amount: Math.max(...requests.warm), unit: 'requests', limit: 1 },
    ];
  } finally {
    await server.remove();
  }
}
