// create-plan.js DEFINITIONS RESULT: plans definitions and locks that are read as JSON, the packages each from a line of
// its own; writes how long that took, how much memory the whole process used, and how many members all roots have.
import { createReadStream, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createPlan } from '../../dist/plan/create-plan.js';

const [inputPath, resultPath] = process.argv.slice(2);
const [{ definitions, locks }, ...packages] = await readLines(inputPath);
const before = performance.now();
const sandbox = { contract: 1, generatedFiles: '0'.repeat(64) };
const plan = createPlan({ ...definitions, packages }, locks, sandbox);
const ms = performance.now() - before;
const members = plan.steps.reduce((sum, { root }) => sum + root.length, 0);
const kibibytes = process.resourceUsage().maxRSS;
writeFileSync(resultPath, JSON.stringify({ ms, kibibytes, members, packages: plan.steps.length }));

async function readLines(path) {
  const values = [];
  for await (const line of createInterface({ input: createReadStream(path) })) values.push(JSON.parse(line));
  return values;
}
