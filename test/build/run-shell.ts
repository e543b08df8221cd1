import { join } from 'node:path';
import { createLocalExecutor } from '../../src/build/local-executor.ts';
import { openShell, type ShellOptions } from '../../src/build/open-shell.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { openStore } from '../../src/store/store.ts';
import { keepHostLayer } from '../support/host-root.ts';
import { programPath } from '../support/requires.ts';
import { applyLines } from './apply-lines.ts';
import { putPatches, putSource, requestFor } from './run-request.ts';

/** What is asked of this program: a shell for a request with these patches, after a build where that is wanted. */
export interface AskedShell extends Pick<ShellOptions, 'phase' | 'failed' | 'command'> {
  readonly patches: readonly string[];
  readonly build?: boolean;
}

/*
 * A program of its own, because a shell takes its terminal: opens shells one after the other, and ends with the exit code
 * of the last. Arguments: the store's parent directory, JSON of a list of `AskedShell`.
 */
const [directory, asked] = process.argv.slice(2);
const store = await openStore(join(directory!, 'store'));
const layer = await keepHostLayer(store);
const sandbox = {
  store,
  bubblewrap: [programPath('bwrap')!],
  findMember: async () => ({ label: 'host', layer }),
  applyPatches: applyLines,
};
const digest = await putSource(store, { 'top/a': { text: 'source', mtime: 1_600_000_000 } });
const context = { signal: new AbortController().signal, onPhase: () => undefined, onLog: () => undefined };

for (const [index, { patches, build = false, ...options }] of (JSON.parse(asked!) as AskedShell[]).entries()) {
  const request = requestFor(
    { root: [layer.diffId] },
    { configure: 'echo configured >>state', build: 'echo built >>state; echo oops; exit 1', install: 'true' },
    {
      sources: [{ digest, fileName: 'a.tar', action: 'unpack', strip: 1, directory: '.' }],
      patches: await putPatches(store, patches),
    },
  );
  if (build) await createLocalExecutor(sandbox).run(request, { ...context, keepFailed: true });
  say(`shell ${index}`);
  try {
    process.exitCode = await openShell(sandbox, request, { ...context, ...options });
    say(`exit code ${process.exitCode}`);
  } catch (error) {
    if (!(error instanceof BuilditError)) throw error;
    say([error.code, error.message, ...error.details, error.hint].join('\n'));
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
