import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import { readBlob } from '../../src/store/read-blob.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { requires } from '../support/requires.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const putBlobProgram = new URL('./programs/put-blob.ts', import.meta.url);

async function freshStore(): Promise<Store> {
  return openStore(join(temporaryDirectory(), 'store'));
}

async function* streamOf(...chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** Names of files in the store that are no documents about it: blobs, and whatever was left behind. */
function filesIn(store: Store): readonly string[] {
  const names = readdirSync(store.directory, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(store.directory, name)).isFile() && !/^(format|locks\/)/.test(name));
}

describe('putBlob', () => {
  test('keeps bytes under their digest, for reading alone', async () => {
    const store = await freshStore();
    const umask = process.umask(0o077);
    const blob = await putBlob(store, Buffer.from('hello')).finally(() => process.umask(umask));
    expect(blob).toEqual({ digest: sha256('hello'), size: 5 });
    expect(filesIn(store)).toEqual([`blobs/sha256/2c/${blob.digest}`]);
    expect(statSync(blobPath(store, blob.digest)).mode & 0o7777).toBe(0o444);
    expect(statSync(join(store.directory, 'blobs/sha256/2c')).mode & 0o7777).toBe(0o755);
  });

  test('keeps the same bytes however they are cut', async () => {
    const store = await freshStore();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 400_000 }), { maxLength: 6 }), async (lengths) => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, index + 1));
        const whole = Buffer.concat(chunks);
        const { digest, size } = await putBlob(store, streamOf(...chunks));
        expect({ digest, size }).toEqual({ digest: sha256(whole), size: whole.length });
        expect((await readBlob(store, digest)).equals(whole)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('refuses bytes that are not the ones expected and keeps nothing', async () => {
    const store = await freshStore();
    const options = { expected: sha256('wanted'), what: 'https://example.org/a\u001b.tar' };
    for (const bytes of [streamOf('other'), Buffer.from('other')]) {
      await expect(putBlob(store, bytes, options)).rejects.toMatchObject({
        code: 'checksum-mismatch',
        message: `Cannot store "https://example.org/a\\u001b.tar": expected sha256 ${sha256('wanted')}, found ${sha256('other')}`,
      });
    }
    await expect(putBlob(store, streamOf('four'), { size: 5 })).rejects.toMatchObject({ code: 'checksum-mismatch' });
    expect(filesIn(store)).toEqual([]);
  });

  test('stops reading as soon as there are more bytes than allowed', async () => {
    const store = await freshStore();
    let chunks = 0;
    const endless = (async function* () {
      for (; chunks < 1000; chunks += 1) yield Buffer.alloc(1000);
    })();
    await expect(putBlob(store, endless, { maxBytes: 10_000 })).rejects.toMatchObject({ code: 'input-invalid' });
    expect(chunks).toBe(10);
    await expect(putBlob(store, Buffer.alloc(11), { maxBytes: 10 })).rejects.toMatchObject({ code: 'input-invalid' });
    expect((await putBlob(store, Buffer.alloc(10), { maxBytes: 10 })).size).toBe(10);
    expect(filesIn(store)).toHaveLength(1);
  });

  test('passes on what its source throws and keeps nothing', async () => {
    const store = await freshStore();
    const broken = (async function* () {
      yield Buffer.from('begin');
      throw new RangeError('cut');
    })();
    await expect(putBlob(store, broken)).rejects.toThrow(new RangeError('cut'));
    expect(filesIn(store)).toEqual([]);
  });

  test('leaves a whole blob as it is and replaces a damaged one', async () => {
    const store = await freshStore();
    const { digest } = await putBlob(store, Buffer.from('hello'));
    const before = statSync(blobPath(store, digest)).ino;
    await putBlob(store, streamOf('hel', 'lo'));
    await putBlob(store, Buffer.from('hello'));
    expect(statSync(blobPath(store, digest)).ino).toBe(before);
    chmodSync(blobPath(store, digest), 0o644);
    writeFileSync(blobPath(store, digest), 'jello');
    await putBlob(store, streamOf('hello'));
    expect((await readBlob(store, digest)).toString()).toBe('hello');
    expect(filesIn(store)).toHaveLength(1);
  });

  test('gives one blob when two processes put the same bytes at once', async () => {
    const store = await freshStore();
    const size = 3_000_001;
    const racers = [1, 2].map(() => startProgram(programCommand(putBlobProgram, store.directory, String(size))));
    for (const racer of racers) expect(await racer.nextLine()).toBe('ready');
    for (const racer of racers) racer.child.stdin!.write('go\n');
    const outcomes = await Promise.all(racers.map((racer) => racer.nextLine()));
    expect(outcomes[0]).toBe(outcomes[1]);
    for (const racer of racers) expect((await racer.ended()).exitCode).toBe(0);
    const { digest } = JSON.parse(outcomes[0]!);
    const bytes = readFileSync(blobPath(store, digest));
    expect(bytes.length).toBe(size);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(digest);
    expect(filesIn(store)).toHaveLength(1);
  });

  requires('user namespaces').test(
    'says where and how much when the disk is full, and keeps what is there',
    async () => {
      const directory = join(temporaryDirectory(), 'disk');
      mkdirSync(directory);
      const inSmallDisk = 'mount -t tmpfs -o size=4m tmpfs "$0" && "$@"; find "$0" -type f -size +1k';
      const full = startProgram([
        ...['unshare', '-Urm', 'sh', '-c', inSmallDisk, directory],
        ...programCommand(putBlobProgram, join(directory, 'store'), String(20 * 1024 * 1024)),
      ]);
      expect(await full.nextLine()).toBe('ready');
      full.child.stdin!.write('go\n');
      const { code, message } = JSON.parse(await full.nextLine());
      expect(code).toBe('disk-full');
      expect(message).toMatch(
        /^Cannot store "some bytes" in "\S+\/disk\/store": expected at least [34]\.\d MiB of free space, found [34]\.\d MiB$/,
      );
      expect((await full.ended()).stdout.split('\n')).toHaveLength(3);
    },
  );

  requires('user namespaces').test('names the store when its file system is read-only', async () => {
    const directory = join(temporaryDirectory(), 'disk');
    mkdirSync(directory);
    const store = await openStore(join(directory, 'store'));
    const readOnly = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"';
    const program = startProgram([
      ...['unshare', '-Urm', 'sh', '-c', readOnly, directory],
      ...programCommand(putBlobProgram, store.directory, '10'),
    ]);
    expect(await program.nextLine()).toBe('ready');
    program.child.stdin!.write('go\n');
    const { code, message } = JSON.parse(await program.nextLine());
    expect(code).toBe('cannot-write');
    expect(message).toContain(store.directory);
    expect(message).toMatch(/found a read-only file system$/);
    expect(existsSync(join(store.directory, 'blobs/sha256'))).toBe(false);
  });
});
