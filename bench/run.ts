import { parseArgs } from 'node:util';
import compile from '../test/support/compile.ts';
import { assembleImage } from './assemble-image.ts';
import { compileInSandbox } from './compile-in-sandbox.ts';
import { composeBuildRoot } from './compose-root.ts';
import { convertPackages } from './convert-packages.ts';
import { nothingToDo } from './nothing-to-do.ts';
import { planPackages } from './plan-packages.ts';
import { planFiftyRecipes, planLargeContainer, planLargeRepository } from './plan-repository.ts';
import { publishOnePackage, publishPackages } from './publish-packages.ts';
import { pullPackages } from './pull-packages.ts';
import { type Finding, isWithinLimit } from './support/comparison.ts';
import { openPlace, type Place } from './support/place.ts';
import { table } from './support/report.ts';

type Benchmark = (place: Place, repetitions: number) => Promise<readonly Finding[]>;

const BENCHMARKS: Readonly<Record<string, { readonly run: Benchmark; readonly repetitions: number }>> = {
  'nothing-to-do': { run: nothingToDo, repetitions: 21 },
  'assemble-image': { run: assembleImage, repetitions: 7 },
  'compose-root': { run: composeBuildRoot, repetitions: 5 },
  'convert-packages': { run: convertPackages, repetitions: 5 },
  'compile-in-sandbox': { run: compileInSandbox, repetitions: 5 },
  'plan-packages': { run: planPackages, repetitions: 9 },
  'plan-large-repository': { run: planLargeRepository, repetitions: 5 },
  'plan-large-container': { run: planLargeContainer, repetitions: 7 },
  'plan-fifty-recipes': { run: planFiftyRecipes, repetitions: 11 },
  'publish-packages': { run: publishPackages, repetitions: 3 },
  'publish-one-package': { run: publishOnePackage, repetitions: 3 },
  'pull-packages': { run: pullPackages, repetitions: 5 },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { repetitions: { type: 'string', short: 'n' } },
});
process.exitCode = await main(positionals.length === 0 ? Object.keys(BENCHMARKS) : positionals);

/** Exit code 1 says that a limit was missed. */
async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown !== undefined) {
    console.error(`There is no benchmark "${unknown}": expected some of ${Object.keys(BENCHMARKS).join(', ')}`);
    return 64;
  }
  compile();
  const place = openPlace();
  const findings: Finding[] = [];
  try {
    for (const name of names) {
      const { run, repetitions } = BENCHMARKS[name]!;
      console.error(name);
      const found = await run(place, values.repetitions === undefined ? repetitions : Number(values.repetitions));
      console.error(`${table(found)}\n`);
      findings.push(...found);
    }
  } finally {
    place.close();
  }
  console.log(table(findings));
  return findings.every(isWithinLimit) ? 0 : 1;
}
