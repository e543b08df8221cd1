import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logLines, openBuildLog, readLogNote } from '../../src/build/build-log.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { openStore } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const note = {
  hash: 'a'.repeat(64),
  name: 'app-misc/hello',
  version: '1.0',
  outcome: 'failed',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
} as const;

test('a log is kept as a blob and found by HASH and by name', async () => {
  const store = await openStore(join(temporaryDirectory(), 'store'));
  const log = await openBuildLog(store, 'hello');
  log.write(Buffer.from('first\n'));
  log.write(Buffer.from([0xff, 0x0a]));
  const { digest } = await log.keep(note);
  expect(await readBlob(store, digest)).toEqual(Buffer.from('first\n\xff\n', 'latin1'));
  for (const key of [note.hash, note.name]) {
    expect(await readLogNote(store, key)).toEqual({ ...note, log: digest });
  }
});

test('the tail of a long log is its last lines', async () => {
  const store = await openStore(join(temporaryDirectory(), 'store'));
  const log = await openBuildLog(store, 'hello');
  for (let i = 0; i < 20_000; i += 1) log.write(Buffer.from(`line ${i}\n`));
  expect(log.tail(2)).toEqual(['line 19998', 'line 19999']);
  await log.keep(note);
});

test('nothing in a log line acts on a terminal', () => {
  expect(logLines('\u001b[31mred\u001b[0m\n')).toEqual(['red']);
  expect(logLines('\u001b]0;title\u0007after\n\u001b]52;c;AAAA\u001b\\x')).toEqual(['after', 'x']);
  expect(logLines('10%\r20%\r100%\n')).toEqual(['100%']);
  expect(logLines('a\tb\r\n')).toEqual(['a    b']);
  expect(logLines('\u001bc\u0007\u009b31m\u202egnp.exe')).toEqual(['\\u0007\\u009b31m\\u202egnp.exe']);
  expect(logLines('x'.repeat(600))[0]).toHaveLength(500);
});
