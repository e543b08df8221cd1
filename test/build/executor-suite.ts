import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { build, type ExecutorHarness, LIMITS, putPatches, putSource, requestFor, run } from './run-request.ts';

/** What every executor does. `open` makes one with a store of its own. */
export function testExecutor(name: string, open: () => Promise<ExecutorHarness>): void {
  describe(`${name} executor`, () => {
    test('gives what was installed as a tar stream', async () => {
      const harness = await open();
      const script =
        'mkdir -p "$DESTDIR/usr/bin"; echo hello >"$DESTDIR/usr/bin/hello"; ln -s hello "$DESTDIR/usr/bin/hi"';
      const { files } = await build(harness, requestFor(harness, { install: script }));
      expect(files).toEqual({ 'usr/bin/hello': 'hello\n', 'usr/bin/hi': '-> hello' });
    });

    test('runs the phases in their order, check last', async () => {
      const harness = await open();
      const say = (phase: string) => `echo ${phase} >>order; cat order >"$DESTDIR/order" || true`;
      const { files, phases } = await build(
        harness,
        requestFor(harness, {
          check: 'grep -q install order; echo checked',
          install: say('install'),
          build: say('build'),
          configure: say('configure'),
          prepare: say('prepare'),
        }),
      );
      expect(files).toEqual({ order: 'prepare\nconfigure\nbuild\ninstall\n' });
      expect(phases.filter((phase) => phase !== 'pack')).toEqual([
        ...['unpack', 'prepare', 'configure', 'build', 'install', 'check'],
      ]);
    });

    test('unpacks the main source into the working directory and dates the build by its newest file', async () => {
      const harness = await open();
      const digest = await putSource(harness.store, {
        'top/a': { text: 'first', mtime: 1_500_000_000 },
        'top/b': { text: 'second', mtime: 1_600_000_000 },
      });
      const source = { digest, fileName: 'x-1.tar', action: 'unpack', strip: 1, directory: '.' } as const;
      const { files, sourceDate } = await build(
        harness,
        requestFor(
          harness,
          { install: 'cp a b "$DESTDIR"; echo $SOURCE_DATE_EPOCH >$DESTDIR/date' },
          { sources: [source] },
        ),
      );
      expect(files).toEqual({ a: 'first', b: 'second', date: '1600000000\n' });
      expect(sourceDate).toBe(1_600_000_000);
    });

    test('puts further sources and kept files where they are wanted', async () => {
      const harness = await open();
      const main = await putSource(harness.store, { 'top/a': { text: 'main', mtime: 1_600_000_000 } });
      const more = await putSource(harness.store, { 'mod/m': { text: 'module', mtime: 1_700_000_000 } });
      const sources = [
        { digest: main, fileName: 'main.tar', action: 'unpack', strip: 1, directory: '.' },
        { digest: more, fileName: 'more.tar', action: 'unpack', strip: 0, directory: 'modules/extra' },
        { digest: more, fileName: 'more.tar', action: 'keep', strip: 0, directory: '.' },
      ] as const;
      const { files, sourceDate } = await build(
        harness,
        requestFor(harness, { install: 'cat a modules/extra/mod/m >"$DESTDIR/x"; test -s more.tar' }, { sources }),
      );
      expect(files).toEqual({ x: 'mainmodule' });
      expect(sourceDate).toBe(1_600_000_000);
    });

    test('applies patches in order before the first phase', async () => {
      const harness = await open();
      const patches = await putPatches(harness.store, ['one', 'two']);
      const { files, phases } = await build(
        harness,
        requestFor(harness, { install: 'cp patched "$DESTDIR"' }, { patches }),
      );
      expect(files).toEqual({ patched: 'one\ntwo\n' });
      expect(phases.slice(0, 2)).toEqual(['unpack', 'patch']);
    });

    test("shows the recipe's files, executable or not", async () => {
      const harness = await open();
      const { digest } = await putBlob(harness.store, Buffer.from('#!/bin/sh\n'));
      const files = [
        { path: 'conf/plain', digest, executable: false },
        { path: 'tool', digest, executable: true },
      ];
      const script = 'test -x "$FILESDIR/tool"; test ! -x "$FILESDIR/conf/plain"; cp "$FILESDIR/conf/plain" "$DESTDIR"';
      expect((await build(harness, requestFor(harness, { install: script }, { files }))).files).toEqual({
        plain: '#!/bin/sh\n',
      });
    });

    test('gives a build no environment but its own', async () => {
      const harness = await open();
      process.env.BUILDIT_TEST_CANARY = 'secret';
      const script = 'compgen -e | sort >"$DESTDIR/names"; echo "$MESSAGE" >"$DESTDIR/message"';
      const { files } = await build(
        harness,
        requestFor(harness, { install: script }, { environment: { MESSAGE: 'it\'s "here"\nand $here', JOBS: '99' } }),
      ).finally(() => delete process.env.BUILDIT_TEST_CANARY);
      expect(files.message).toBe('it\'s "here"\nand $here\n');
      // bash itself adds PWD, SHLVL and sometimes _.
      expect(files.names!.split('\n').filter((name) => !['', '_'].includes(name))).toEqual([
        ...['BUILDIT_NAME', 'BUILDIT_VERSION', 'DESTDIR', 'FILESDIR', 'HOME', 'JOBS', 'LANG', 'LC_ALL', 'LOGNAME'],
        ...['MESSAGE', 'PATH', 'PWD', 'SHLVL', 'SOURCE_DATE_EPOCH', 'TERM', 'TZ', 'USER'],
      ]);
    });

    test('refuses a variable whose name is not one', async () => {
      const harness = await open();
      const request = requestFor(harness, { install: 'true' }, { environment: { 'A=B': 'c' } });
      await expect(run(harness, request)).rejects.toMatchObject({ code: 'definition-invalid' });
    });

    test('logs both streams', async () => {
      const harness = await open();
      const { log } = await build(
        harness,
        requestFor(harness, { install: 'echo out; echo err >&2; echo x >$DESTDIR/x' }),
      );
      expect(log).toContain('out\n');
      expect(log).toContain('err\n');
    });

    test('a failing command ends its phase, and later phases do not run', async () => {
      const harness = await open();
      const { result, log, phases } = await run(
        harness,
        requestFor(harness, { build: 'echo before; (exit 7); echo after', install: 'true' }),
      );
      expect(result).toMatchObject({ kind: 'failed', phase: 'build', reason: 'exit', explanation: 'exit code 7' });
      expect(log).toContain('before');
      expect(log).not.toContain('after');
      expect(phases).not.toContain('install');
    });

    test('a failing part of a pipeline and an unset variable are failures', async () => {
      const harness = await open();
      for (const script of ['(exit 3) | cat', 'echo $NOT_SET']) {
        expect((await run(harness, requestFor(harness, { build: script }))).result).toMatchObject({ kind: 'failed' });
      }
    });

    test('keeps the workspace of a failed build only when asked to', async () => {
      const harness = await open();
      const request = requestFor(harness, { build: 'echo half >half; exit 1' });
      expect((await run(harness, request)).result).toMatchObject({ workspace: undefined });
      const { result } = await run(harness, request, { keepFailed: true });
      if (result.kind !== 'failed') throw new Error('built');
      expect(existsSync(`${result.workspace}/work/src/half`)).toBe(true);
    });

    test('ends a build that takes too long', async () => {
      const harness = await open();
      const request = requestFor(harness, { build: 'sleep 60' }, { limits: { ...LIMITS, timeoutMs: 300 } });
      const start = performance.now();
      expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', phase: 'build', reason: 'timeout' });
      expect(performance.now() - start).toBeLessThan(5000);
    });

    test('ends a build that logs too much', async () => {
      const harness = await open();
      const request = requestFor(
        harness,
        { build: 'while :; do echo 0123456789abcdef0123456789abcdef; done' },
        { limits: { ...LIMITS, logBytes: 10_000 } },
      );
      expect((await run(harness, request)).result).toMatchObject({ kind: 'failed', phase: 'build', reason: 'log' });
    });

    test('an interrupt ends the build at once', async () => {
      const harness = await open();
      const controller = new AbortController();
      const running = run(harness, requestFor(harness, { build: 'echo started; sleep 60' }), {
        signal: controller.signal,
        onLog: () => controller.abort(),
      });
      const error = await running.catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(BuilditError);
      expect(error).toMatchObject({ code: 'interrupted' });
    });

    test('two builds at once do not see each other', async () => {
      const harness = await open();
      const scripts = ['a', 'b'].map(
        (name) => `echo ${name} >"$DESTDIR/name"; cp "$DESTDIR/name" x; sleep 0.2; ls "$DESTDIR" x`,
      );
      const built = await Promise.all(scripts.map((install) => build(harness, requestFor(harness, { install }))));
      expect(built.map(({ files }) => files)).toEqual([{ name: 'a\n' }, { name: 'b\n' }]);
    });
  });
}
