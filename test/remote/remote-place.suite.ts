import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RemoteContent, RemoteReader, RemoteWriter } from '../../src/remote/remote-place.ts';

/** Content of a file, named by its digest. */
export function contentOf(bytes: Buffer): RemoteContent {
  return {
    size: bytes.length,
    digest: createHash('sha256').update(bytes).digest('hex'),
    from: async function* (offset) {
      for (let start = offset; start < bytes.length; start += 100_000) yield bytes.subarray(start, start + 100_000);
    },
  };
}

export async function bytesOf(content: AsyncIterable<Uint8Array> | 'missing'): Promise<Buffer | 'missing'> {
  if (content === 'missing') return 'missing';
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What every reader does. `open` gives a fresh reader of a place with these files. */
export function testReader(
  name: string,
  open: (files: Readonly<Record<string, Buffer | string>>) => Promise<RemoteReader>,
  scope: typeof describe = describe,
): void {
  scope(`a place read by ${name}`, () => {
    test('gives a small file whole', async () => {
      const place = await open({ 'index/current.json': 'pointer\n' });
      const found = await place.read('index/current.json', { maximumBytes: 100 });
      expect(found).toMatchObject({ bytes: Buffer.from('pointer\n') });
      await place.close();
    });

    test('says that a file is missing, also where its directory is', async () => {
      const place = await open({ 'a/b': 'x' });
      expect(await place.read('a/c', { maximumBytes: 100 })).toBe('missing');
      expect(await place.read('q/r/s', { maximumBytes: 100 })).toBe('missing');
      expect(await place.open('q/r/s', { offset: 0, size: 100 })).toBe('missing');
      await place.close();
    });

    test('refuses a file that is longer than allowed', async () => {
      const place = await open({ big: Buffer.alloc(1000) });
      await expect(place.read('big', { maximumBytes: 999 })).rejects.toMatchObject({ code: 'input-invalid' });
      const opened = place.open('big', { offset: 0, size: 999 }).then((content) => bytesOf(content));
      await expect(opened).rejects.toMatchObject({ code: 'input-invalid' });
      expect(await place.read('big', { maximumBytes: 1000 })).toMatchObject({ bytes: Buffer.alloc(1000) });
      await place.close();
    });

    test('gives an empty file', async () => {
      const place = await open({ empty: '' });
      expect(await place.read('empty', { maximumBytes: 10 })).toMatchObject({ bytes: Buffer.alloc(0) });
      await place.close();
    });

    test('gives a large file, and the rest of it from an offset', async () => {
      const bytes = randomBytes(3_000_001);
      const place = await open({ 'blobs/large': bytes });
      const whole = await bytesOf(await place.open('blobs/large', { offset: 0, size: bytes.length }));
      expect(whole !== 'missing' && whole.equals(bytes)).toBe(true);
      const rest = await bytesOf(
        await place.open('blobs/large', { offset: 1_234_567, size: bytes.length - 1_234_567 }),
      );
      expect(rest !== 'missing' && rest.equals(bytes.subarray(1_234_567))).toBe(true);
      await place.close();
    });

    test('reads many files at once', async () => {
      const names = Array.from({ length: 60 }, (_, index) => `many/${index}`);
      const place = await open(Object.fromEntries(names.map((path) => [path, `content of ${path}`])));
      const found = await Promise.all(names.map((path) => place.read(path, { maximumBytes: 100 })));
      expect(found.map((file) => (typeof file === 'string' ? file : file.bytes.toString()))).toEqual(
        names.map((path) => `content of ${path}`),
      );
      await place.close();
    });

    test('names files with every character that is allowed in them', async () => {
      const path = 'aci/a+b~c:d_e.f-1%20é';
      const place = await open({ [path]: 'odd' });
      expect(await place.read(path, { maximumBytes: 10 })).toMatchObject({ bytes: Buffer.from('odd') });
      await place.close();
    });

    test('refuses paths that lead out of it', async () => {
      const place = await open({});
      for (const path of ['../x', 'a/../../x', '/etc/passwd', '', 'a//b', 'a\nb', 'a\0b']) {
        await expect(async () => place.read(path, { maximumBytes: 10 })).rejects.toThrow('is not a path below a place');
      }
      await place.close();
    });

    test('an interrupted run reads nothing more', async () => {
      const place = await open({ a: 'x' });
      const reading = place.read('a', { maximumBytes: 10, signal: AbortSignal.abort() });
      await expect(reading).rejects.toMatchObject({ code: 'interrupted' });
      await place.close();
    });
  });
}

/** A place to write to, and what lies in its directory. */
export interface WritablePlace {
  readonly place: RemoteWriter;
  /** Another writer of the same place. */
  readonly again: () => Promise<RemoteWriter>;
  readonly files: {
    read(path: string): Buffer;
    list(path: string): readonly string[];
    write(path: string, bytes: Buffer | string): void;
    symlink(target: string, path: string): void;
    chmod(path: string, mode: number): void;
    mtime(path: string): number;
    setMtime(path: string, seconds: number): void;
  };
}

/** What every writer does. `open` gives a fresh, empty place. */
export function testWriter(name: string, open: () => Promise<WritablePlace>, scope: typeof describe = describe): void {
  scope(`a place written to by ${name}`, () => {
    test('puts a file under its name, making directories, and leaves nothing else behind', async () => {
      const { place, files } = await open();
      const bytes = randomBytes(50_000);
      await place.put('blobs/sha256/ab', contentOf(bytes));
      expect(files.read('blobs/sha256/ab')).toEqual(bytes);
      expect(files.list('.incoming')).toEqual([]);
      await place.close();
    });

    test('puts an empty file', async () => {
      const { place, files } = await open();
      await place.put('a/empty', contentOf(Buffer.alloc(0)));
      expect(files.read('a/empty')).toEqual(Buffer.alloc(0));
      await place.close();
    });

    test('puts a large file and tells how far it is', async () => {
      const { place, files } = await open();
      const bytes = randomBytes(12_000_000);
      const progress: number[] = [];
      await place.put('blobs/large', { ...contentOf(bytes), onProgress: (done) => progress.push(done) });
      expect(files.read('blobs/large').equals(bytes)).toBe(true);
      expect(progress.at(-1)).toBe(bytes.length);
      expect(progress).toEqual(progress.toSorted((one, other) => one - other));
      await place.close();
    });

    test('puts many files at once', async () => {
      const { place, files } = await open();
      const names = Array.from({ length: 200 }, (_, index) => `packages/${index % 16}/${index}/key.json`);
      await Promise.all(names.map((path) => place.put(path, contentOf(Buffer.from(path)))));
      expect(names.filter((path) => files.read(path).toString() !== path)).toEqual([]);
      expect(files.list('.incoming')).toEqual([]);
      await place.close();
    });

    test('a second put of the same content is harmless, also at the same time', async () => {
      const { place, again, files } = await open();
      const other = await again();
      const bytes = randomBytes(26_000_000);
      await Promise.all([place.put('b/x', contentOf(bytes)), other.put('b/x', contentOf(bytes))]);
      await place.put('b/x', contentOf(bytes));
      expect(files.read('b/x').equals(bytes)).toBe(true);
      await place.close();
      await other.close();
    });

    test('a file of another size than its name says is put right', async () => {
      const { place, files } = await open();
      files.write('b/x', 'half');
      await place.put('b/x', contentOf(Buffer.from('whole content')));
      expect(files.read('b/x').toString()).toBe('whole content');
      await place.close();
    });

    test('content that ends early is not given its name', async () => {
      const { place, files } = await open();
      const content = contentOf(Buffer.from('short'));
      await expect(place.put('b/x', { ...content, size: 100 })).rejects.toMatchObject({ code: 'cannot-write' });
      expect(files.list('b')).toEqual([]);
      await place.close();
    });

    test('content that cannot be read ends the put with its own error', async () => {
      const { place } = await open();
      const broken = async function* () {
        yield Buffer.from('a');
        throw new Error('the disk is gone');
      };
      await expect(place.put('b/x', { ...contentOf(Buffer.from('ab')), from: broken })).rejects.toThrow(
        'the disk is gone',
      );
      await place.close();
    });

    test('goes on with what an earlier run had uploaded, less its end', async () => {
      const { place, again, files } = await open();
      const bytes = randomBytes(40_000_000);
      const content = contentOf(bytes);
      const stop = new AbortController();
      const first = place.put('b/x', {
        ...content,
        signal: stop.signal,
        onProgress: (done) => {
          if (done > 30_000_000) stop.abort();
        },
      });
      await expect(first).rejects.toMatchObject({ code: 'interrupted' });
      await place.close();
      expect(files.list('b')).toEqual([]);
      const other = await again();
      const from: number[] = [];
      await other.put('b/x', {
        ...content,
        from: (offset) => {
          from.push(offset);
          return content.from(offset);
        },
      });
      expect(files.read('b/x').equals(bytes)).toBe(true);
      expect(from[0]).toBeGreaterThan(1_000_000);
      expect(from[0]).toBeLessThan(30_000_000);
      await other.close();
    });

    test('creates a name once', async () => {
      const { place, files } = await open();
      expect(await place.create('index/gen/1.json', Buffer.from('first'))).toBe(true);
      expect(await place.create('index/gen/1.json', Buffer.from('second'))).toBe(false);
      expect(files.read('index/gen/1.json').toString()).toBe('first');
      expect(files.list('.incoming')).toEqual([]);
      await place.close();
    });

    test('of twenty who create the same name at once, one wins', async () => {
      const { place, again, files } = await open();
      const places = [place, await again(), await again(), await again()];
      const won = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          places[index % 4]!.create('index/gen/7.json', Buffer.from(`${index}`)),
        ),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(files.read('index/gen/7.json').toString()).toBe(String(won.indexOf(true)));
      for (const each of places) await each.close();
    });

    test('replaces a file in one step', async () => {
      const { place, files } = await open();
      await place.replace('index/current.json', Buffer.from('one'));
      await place.replace('index/current.json', Buffer.from('two'));
      expect(files.read('index/current.json').toString()).toBe('two');
      expect(files.list('.incoming')).toEqual([]);
      await place.close();
    });

    test('tells what is there, without following links', async () => {
      const { place, files } = await open();
      files.write('d/file', '12345');
      files.symlink('file', 'd/link');
      expect(await place.stat('d/file')).toMatchObject({ kind: 'file', size: 5 });
      expect(await place.stat('d')).toMatchObject({ kind: 'directory' });
      expect(await place.stat('d/link')).toMatchObject({ kind: 'other' });
      expect(await place.stat('d/none')).toBeUndefined();
      await place.close();
    });

    test('lists a directory in the order of names, and none where it is missing', async () => {
      const { place, files } = await open();
      const names = Array.from({ length: 250 }, (_, index) => String(1000 + index));
      for (const each of names.toReversed()) files.write(`l/${each}`, each);
      const entries = await place.list('l');
      expect(entries.map((entry) => entry.name)).toEqual(names);
      expect(entries[0]).toMatchObject({ kind: 'file', size: 4 });
      expect(await place.list('nowhere')).toEqual([]);
      expect((await place.list('')).map((entry) => entry.name)).toContain('l');
      await place.close();
    });

    test('removes a file, and nothing happens where it is missing', async () => {
      const { place, files } = await open();
      files.write('d/file', 'x');
      await place.remove('d/file');
      await place.remove('d/file');
      expect(files.list('d')).toEqual([]);
      await place.close();
    });

    test('touches a file by the clock of the place', async () => {
      const { place, files } = await open();
      files.write('d/file', 'x');
      files.setMtime('d/file', 1_000_000_000);
      await place.touch('d/file');
      expect(Math.abs(files.mtime('d/file') - (await place.now()))).toBeLessThanOrEqual(10);
      expect(Math.abs((await place.now()) - Date.now() / 1000)).toBeLessThanOrEqual(3);
      await place.close();
    });

    test('a symbolic link where a directory belongs is refused, and nothing is written through it', async () => {
      const { place, files } = await open();
      files.write('elsewhere/here', '');
      files.symlink('elsewhere', 'packages');
      await expect(place.put('packages/ab/x', contentOf(Buffer.from('x')))).rejects.toMatchObject({
        code: 'cannot-write',
        message: expect.stringContaining('where a directory belongs'),
      });
      await expect(place.create('packages/x', Buffer.from('x'))).rejects.toMatchObject({ code: 'cannot-write' });
      expect(files.list('elsewhere')).toEqual(['here']);
      await place.close();
    });

    test('a symbolic link in place of the directory for uploads is refused', async () => {
      const { place, files } = await open();
      files.write('elsewhere/here', '');
      files.symlink('elsewhere', '.incoming');
      await expect(place.replace('index/x', Buffer.from('x'))).rejects.toMatchObject({ code: 'cannot-write' });
      expect(files.list('elsewhere')).toEqual(['here']);
      await place.close();
    });

    test('a file where a directory belongs is refused', async () => {
      const { place, files } = await open();
      files.write('packages', 'a file');
      await expect(place.put('packages/ab/x', contentOf(Buffer.from('x')))).rejects.toMatchObject({
        code: 'cannot-write',
        message: expect.stringContaining('a file where a directory belongs'),
      });
      await place.close();
    });

    test('a directory where a file belongs is refused', async () => {
      const { place, files } = await open();
      files.write('blobs/x/y', '');
      await expect(place.put('blobs/x', contentOf(Buffer.from('x')))).rejects.toMatchObject({ code: 'cannot-write' });
      await expect(place.read('blobs/x', { maximumBytes: 10 })).rejects.toMatchObject({ code: 'unreachable' });
      await place.close();
    });

    test('names of files that are odd are listed as they are', async () => {
      const { place, files } = await open();
      files.write('l/a\nb', '');
      files.write('l/-rf', '');
      expect((await place.list('l')).map(({ name: each }) => each)).toEqual(['-rf', 'a\nb']);
      await place.close();
    });
  });
}
