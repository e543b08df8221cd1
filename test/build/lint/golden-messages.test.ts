import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, type TestContext } from 'vitest';
import { type BuildJob, runBuild } from '../../../src/build/run-build.ts';
import { coloursFor } from '../../../src/cli/colours.ts';
import { exitCodeOf } from '../../../src/cli/exit-code.ts';
import { renderError } from '../../../src/cli/render-error.ts';
import { readElf } from '../../../src/layer/elf.ts';
import { BuilditError, BuilditErrors } from '../../../src/model/errors.ts';
import type { BuilditEvent } from '../../../src/model/events.ts';
import type { LintAllowance } from '../../../src/model/output-lint.ts';
import { putBlob } from '../../../src/store/put-blob.ts';
import { requires } from '../../support/requires.ts';
import { openLocal } from '../open-harness.ts';
import { requestFor } from '../run-request.ts';
import { compiled } from './probe-layer.ts';

const golden = fileURLToPath(new URL('../../golden/output-lint.txt', import.meta.url));
const sandboxed = requires('bwrap', 'user namespaces', 'gcc', 'strip');

interface Told {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** Builds in the sandbox with one file beside the source, and gives what the user is told. */
async function buildWith(install: string, content: Uint8Array, rest: Partial<BuildJob> = {}): Promise<Told> {
  const harness = await openLocal();
  const { digest } = await putBlob(harness.store, content);
  const sources = [{ digest, fileName: 'probe', action: 'keep' as const, strip: 0, directory: '.' }];
  const request = requestFor(harness, { install }, { sources });
  const events: BuilditEvent[] = [];
  const job: BuildJob = {
    request,
    buildKey: 'b'.repeat(64),
    shownName: './pkgs/probe',
    needs: { declared: [], undeclared: [], link: [] },
    license: 'MIT',
    ...rest,
  };
  const { store, executor } = harness;
  const services = { store, executor, keepDebs: () => Promise.reject(), keepFailed: false, builder: 'test' };
  const context = { signal: new AbortController().signal, emit: (event: BuilditEvent) => void events.push(event) };
  const failure = await runBuild(job, services, context).then(
    () => undefined,
    (error: unknown) => error,
  );
  const notices = events.flatMap((event) => (event.kind === 'notice' ? [`note: ${event.text}`] : []));
  return { lines: [...notices, ...errorLines(failure)], exitCode: failure === undefined ? 0 : exitCodeOf(failure) };
}

function errorLines(failure: unknown): readonly string[] {
  if (failure === undefined) return [];
  if (failure instanceof BuilditErrors) return failure.errors.flatMap(errorLines);
  if (!(failure instanceof BuilditError)) throw failure;
  return renderError(failure, { colours: coloursFor(false, {}), cwd: '/', verbose: false });
}

/** Where this machine has its C library. */
function libcPath(): string {
  return execFileSync('gcc', ['-print-file-name=libc.so.6']).toString().trim();
}

const LICENSE = 'mkdir -p "$DESTDIR/usr/share/licenses/probe"; touch "$DESTDIR/usr/share/licenses/probe/LICENSE"';
const TELLING = '#include <stdio.h>\nint main(void) { puts("/build/src/main.c"); return 0; }\n';

sandboxed.test('what is refused says how to mend it and how to allow it', async (context: TestContext) => {
  const allowed: LintAllowance[] = [{ code: 'set-id', reason: 'su needs it', paths: ['usr/bin/su'] }];
  const elf = [readElf('usr/lib/libc.so.6', readFileSync(libcPath()))!];
  const install = (...lines: string[]) => ['umask 022', 'mkdir -p "$DESTDIR/usr/bin"', ...lines].join('\n');
  const copy = 'cp probe "$DESTDIR/usr/bin/probe"';
  const sections = {
    'an undeclared need': await buildWith(install(copy), compiled([]), {
      needs: {
        declared: [],
        undeclared: [{ name: 'debian/libc6', elf }],
        link: ['dev-libs/openssl'],
      },
    }),
    'a path of the build in a program': await buildWith(install(copy), compiled(['-static'], { source: TELLING })),
    'a set-id file': await buildWith(install(copy, 'chmod 4755 "$DESTDIR/usr/bin/probe"'), Buffer.from('x')),
    'colliding files': await buildWith(
      install(copy, 'mkdir "$DESTDIR/usr/share"', 'touch "$DESTDIR/usr/share/README" "$DESTDIR/usr/share/ReadMe"'),
      Buffer.from('x'),
    ),
    'many files of three kinds': await buildWith(
      install(
        'mkdir -p "$DESTDIR/usr/local/share/probe"',
        'for i in 1 2 3 4 5 6 7; do',
        'echo "$PWD" >"$DESTDIR/usr/local/share/probe/$i"',
        'chmod 666 "$DESTDIR/usr/local/share/probe/$i"',
        'done',
      ),
      Buffer.from('x'),
    ),
    'warnings, and an allowance that allows nothing': await buildWith(
      install(copy, 'chmod 755 "$DESTDIR/usr/bin/probe"'),
      compiled(['-static'], { strip: false }),
      { license: undefined, allowed },
    ),
    'an allowance that allows what is there': await buildWith(
      install('cp probe "$DESTDIR/usr/bin/su"', 'chmod 4755 "$DESTDIR/usr/bin/su"', LICENSE),
      Buffer.from('x'),
      { allowed },
    ),
    'an allowance for another path': await buildWith(
      install('cp probe "$DESTDIR/usr/bin/sudo"', 'chmod 4755 "$DESTDIR/usr/bin/sudo"', LICENSE),
      Buffer.from('x'),
      { allowed },
    ),
  };
  const found = Object.entries(sections)
    .map(([title, { lines, exitCode }]) => [`== ${title}`, ...lines, `exit code ${exitCode}`, ''].join('\n'))
    .join('\n')
    .replaceAll(/at byte \d+/g, 'at byte N');
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(golden, found);
    context.skip('the golden file was written');
  }
  expect(found).toBe(readFileSync(golden, 'utf8'));
});
