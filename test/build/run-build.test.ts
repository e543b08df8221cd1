import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readLogNote } from '../../src/build/build-log.ts';
import { type BuildJob, runBuild } from '../../src/build/run-build.ts';
import { keepDebs } from '../../src/debian/keep-debs.ts';
import { readListing } from '../../src/layer/listing.ts';
import type { BuildRequest } from '../../src/model/build-request.ts';
import { BuilditError } from '../../src/model/errors.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { failedBuildPath } from '../../src/store/store-paths.ts';
import { programPath, requires } from '../support/requires.ts';
import { openDummy, openLocal } from './open-harness.ts';
import { type ExecutorHarness, putSource, requestFor } from './run-request.ts';

function jobFor(request: BuildRequest, rest: Partial<BuildJob> = {}): BuildJob {
  const needs = { declared: [], undeclared: [], link: [] };
  return { request, buildKey: 'b'.repeat(64), shownName: './pkgs/probe', needs, ...rest };
}

async function runJob(harness: ExecutorHarness, job: BuildJob, keepFailed = false) {
  const events: BuilditEvent[] = [];
  const { store, executor } = harness;
  const services = {
    store,
    executor,
    keepDebs: (output: AsyncIterable<Uint8Array>, name: string) => keepDebs(store, output, name),
    keepFailed,
    builder: 'test',
  };
  const context = { signal: new AbortController().signal, emit: (event: BuilditEvent) => void events.push(event) };
  return { record: await runBuild(job, services, context), events };
}

async function failureOf(running: Promise<unknown>): Promise<BuilditError> {
  const error = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof BuilditError) return error;
  throw error;
}

describe('runBuild', () => {
  test('gives a record of what was built, every entry of the time of the source', async () => {
    const harness = await openDummy();
    const digest = await putSource(harness.store, { 'top/a': { text: 'a', mtime: 1_600_000_000 } });
    const request = requestFor(
      harness,
      { install: 'mkdir -p "$DESTDIR/usr/share"; cp a "$DESTDIR/usr/share/a"; chmod 0711 "$DESTDIR/usr/share/a"' },
      { sources: [{ digest, fileName: 'a.tar', action: 'unpack', strip: 1, directory: '.' }] },
    );
    const { record, events } = await runJob(harness, jobFor(request));
    expect(record).toMatchObject({
      kind: 'build',
      hash: request.hash,
      buildKey: 'b'.repeat(64),
      name: 'app-misc/probe',
      sources: [digest],
      sourceDate: 1_600_000_000,
      builder: 'test',
    });
    const listing = await readListing(harness.store, record.outputs.main!.listing);
    expect(listing.map(({ path, mtime, uid }) => [path, mtime, uid])).toEqual([
      ['usr', 1_600_000_000, 0],
      ['usr/share', 1_600_000_000, 0],
      ['usr/share/a', 1_600_000_000, 0],
    ]);
    expect(events.map(({ kind }) => kind)).toEqual([
      ...['task-started', 'task-progress', 'task-progress', 'notice', 'task-finished'],
    ]);
  });

  test('two builds of one request give one layer', async () => {
    const harness = await openDummy();
    const request = requestFor(harness, {
      install: 'mkdir -p "$DESTDIR/etc"; echo x >"$DESTDIR/etc/x"; umask 077; echo y >"$DESTDIR/y"',
    });
    const [one, two] = [await runJob(harness, jobFor(request)), await runJob(harness, jobFor(request))];
    expect(one.record.outputs.main).toEqual(two.record.outputs.main);
  });

  test('a failure tells the end of the log, where the log is, and where to look', async () => {
    const harness = await openDummy();
    const script = 'for i in $(seq 30); do echo "line $i"; done; printf "\\033[31mred\\033[0m\\n"; exit 3';
    const request = requestFor(harness, { build: script });
    const error = await failureOf(runJob(harness, jobFor(request)));
    expect(error.code).toBe('build-failed');
    expect(error.message).toBe('Cannot build "app-misc/probe-1.0": build: exit code 3');
    expect(error.details).toHaveLength(21);
    expect(error.details[0]).toBe('| line 12');
    expect(error.details[19]).toBe('| red');
    expect(error.hint).toContain('buildit log ./pkgs/probe');
    expect(error.hint).toContain('--keep-failed');
    const path = error.details[20]!.replace('log: ', '');
    expect(readFileSync(path, 'utf8')).toContain('==> build\nline 1\n');
    expect(await readLogNote(harness.store, request.hash)).toMatchObject({ outcome: 'failed' });
  });

  test('the log of a good build is kept with its record', async () => {
    const harness = await openDummy();
    const request = requestFor(harness, { install: 'echo hello; echo x >"$DESTDIR/x"' });
    const { record } = await runJob(harness, jobFor(request));
    expect((await readBlob(harness.store, record.log!)).toString()).toBe('==> unpack\n==> install\nhello\n');
    expect(await readLogNote(harness.store, 'app-misc/probe')).toMatchObject({
      outcome: 'built',
      log: record.log,
    });
  });

  test('a pattern of a sub-package that no file fits is told of, with the sub-package', async () => {
    const harness = await openDummy();
    const install =
      'cd "$DESTDIR"; mkdir -p usr/share/doc usr/share/empty; echo x >usr/share/doc/README; echo x >usr/x';
    const subpackages = [
      { name: 'debug', files: ['usr/lib/debug/**'], run: [] },
      { name: 'doc', files: ['usr/share/docs/**', 'usr/share/doc', 'usr/share/doc/**', 'usr/share/empty'], run: [] },
      { name: 'more', files: ['usr/share/doc/*'], run: [] },
    ];
    const { record, events } = await runJob(harness, jobFor(requestFor(harness, { install }), { subpackages }));
    expect(Object.keys(record.outputs)).toEqual(['main', 'doc']);
    const notices = events.flatMap((event) => (event.kind === 'notice' ? [event.text] : []));
    expect(notices.filter((text) => text.includes('fits'))).toEqual([
      'app-misc/probe: no file fits "usr/share/docs/**" of the sub-package "doc"',
      'app-misc/probe: no file fits "usr/share/doc" of the sub-package "doc"',
    ]);
  });

  test('a build that installs nothing is refused', async () => {
    const harness = await openDummy();
    for (const install of ['true', 'mkdir -p "$DESTDIR/usr/share"']) {
      const error = await failureOf(runJob(harness, jobFor(requestFor(harness, { install }))));
      expect(error).toMatchObject({ code: 'build-failed', message: expect.stringContaining('$DESTDIR') });
    }
  });

  test('paths of the old top level go where the base layer leads, unless the package is the base layer', async () => {
    const harness = await openDummy();
    const request = requestFor(harness, { install: 'mkdir "$DESTDIR/sbin"; echo x >"$DESTDIR/sbin/x"' });
    const paths = async (job: BuildJob) => {
      const { record } = await runJob(harness, job);
      return (await readListing(harness.store, record.outputs.main!.listing)).map(({ path }) => path);
    };
    expect(await paths(jobFor(request))).toEqual(['usr', 'usr/sbin', 'usr/sbin/x']);
    expect(await paths(jobFor(request, { ownsTopLinks: true }))).toEqual(['sbin', 'sbin/x']);
  });

  test('a library that was not declared is refused after the build', async () => {
    const harness = await openDummy();
    const request = requestFor(harness, { install: `cp ${programPath('bash')} "$DESTDIR/shell"` });
    const needs = { declared: [], undeclared: [], link: [] };
    await expect(runJob(harness, jobFor(request, { needs }))).rejects.toMatchObject({
      errors: expect.arrayContaining([expect.objectContaining({ code: 'undeclared-need' })]),
    });
  });
});

requires('bwrap', 'user namespaces').test('a failed build in the sandbox is kept when asked for', async () => {
  const harness = await openLocal();
  const request = requestFor(harness, { build: 'echo half >half; mkdir closed; chmod 0 closed; exit 1' });
  const error = await failureOf(runJob(harness, jobFor(request), true));
  expect(error.hint).toContain('buildit shell ./pkgs/probe --failed');
  const kept = failedBuildPath(harness.store, request.hash);
  expect(existsSync(`${kept}/work/src/half`)).toBe(true);
  await failureOf(runJob(harness, jobFor(request), true));
  expect(existsSync(`${kept}/work/src/half`)).toBe(true);
});
