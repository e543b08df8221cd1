#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LEAST_NODE = [20, 19];
const installation = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Everything is closed by then; nothing of somebody else's making keeps the process longer than this. */
const LEAVE_MS = 1000;

process.exitCode = await run(process.argv.slice(2));
setTimeout(() => process.exit(), LEAVE_MS).unref();

async function run(argv) {
  if (!nodeIsNewEnough())
    return refuse(`node ${LEAST_NODE.join('.')} or later is needed, this is ${process.versions.node}`);
  if (!existsSync(`${installation}/dist/cli/main.js`)) {
    return refuse(`it is not compiled: run \`npm ci\` in ${installation}`);
  }
  const { tryReceipt } = await import('../dist/cli/receipt/try-receipt.js');
  if (tryReceipt(installation, argv)) return 0;
  const loaded = await loadMain();
  return loaded === undefined
    ? refuse(`its libraries are missing: run \`npm ci\` in ${installation}`)
    : loaded(installation, argv);
}

async function loadMain() {
  try {
    return (await import('../dist/cli/main.js')).main;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function nodeIsNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
}

function refuse(reason) {
  process.stderr.write(`error: Cannot start "buildit": ${reason}\n`);
  return 78;
}
