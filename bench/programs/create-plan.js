// create-plan.js DEFINITIONS RESULT: plans definitions and locks that are read as JSON; writes how long that took, how
// much memory the whole process used, and how many members all roots have.
import { readFileSync, writeFileSync } from 'node:fs';
import { createPlan } from '../../dist/plan/create-plan.js';

const [inputPath, resultPath] = process.argv.slice(2);
const { definitions, locks } = JSON.parse(readFileSync(inputPath, 'utf8'));
const before = performance.now();
const plan = createPlan(definitions, locks, { contract: 1, generatedFiles: '0'.repeat(64) });
const ms = performance.now() - before;
const members = plan.steps.reduce((sum, { root }) => sum + root.length, 0);
const kibibytes = process.resourceUsage().maxRSS;
writeFileSync(resultPath, JSON.stringify({ ms, kibibytes, members, packages: plan.steps.length }));
