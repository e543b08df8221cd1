import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressPart, readPart } from '../../src/binhost/compressed-part.ts';
import { type ContainerDocument, containerLine, parseContainerLine } from '../../src/binhost/container-document.ts';
import {
  EMPTY_INDEX,
  type IndexContent,
  indexPartText,
  mergeIndex,
  parseIndexPart,
} from '../../src/binhost/index-part.ts';
import { type Pointer, parsePointer, pointerLine, splitPointer } from '../../src/binhost/pointer.ts';
import { type PublishedRecord, parsePublishedRecord, publishedRecordText } from '../../src/binhost/published-record.ts';
import { canonicalText, FieldFault } from '../../src/binhost/strict-fields.ts';
import { sha256 } from '../../src/model/digest.ts';
import { BuilditError } from '../../src/model/errors.ts';

const time = '2026-01-02T03:04:05.678Z';
const blob = { digest: sha256('blob'), size: 10 };

const pointer: Pointer = {
  format: 1,
  id: sha256('id'),
  name: 'place',
  generation: 7,
  time,
  expires: '2026-04-02T03:04:05.678Z',
  padding: '...',
  base: { ...blob, entries: 3 },
  tail: null,
};

const record: PublishedRecord = {
  format: 1,
  policy: 1,
  hash: sha256('hash'),
  buildKey: sha256('key'),
  name: 'www-servers/nginx',
  version: '1.26.3',
  platform: 'linux/amd64',
  outputs: {
    main: {
      diffId: sha256('diffId'),
      size: 1024,
      listing: blob,
      elf: [
        {
          path: 'usr/lib/libx.so',
          machine: 'x86-64',
          soname: 'libx.so.1',
          interpreter: undefined,
          needed: [{ soname: 'libc.so.6', versions: ['GLIBC_2.34'] }],
          defines: [],
          runPaths: [],
        },
      ],
      blobs: [{ encoder: 'zstd-3', mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', ...blob }],
    },
  },
  sources: [sha256('source')],
  patches: [],
  log: null,
  sourceDate: 1,
  builder: 'buildit',
  startedAt: time,
  finishedAt: time,
};

const document: ContainerDocument = {
  format: 1,
  kind: 'container',
  author: 'Sysadmin42',
  name: 'nginx-production',
  version: '1.7.6-p1',
  platform: 'linux/amd64',
  spec: blob,
  oci: [{ ...blob, tags: ['latest'] }],
  aci: [{ ...blob, path: 'aci/linux/amd64/nginx-1.aci', imageId: `sha512-${'0'.repeat(128)}` }],
  packages: [{ hash: sha256('hash'), name: 'www-servers/nginx', version: '1.26.3' }],
  time,
};

const content: IndexContent = {
  packages: ['a', 'b', 'c'].map((name) => ({
    hash: sha256(name),
    buildKey: sha256(`key of ${name}`),
    key: sha256('signer'),
    name: `sys-apps/${name}`,
    version: '1',
    platform: 'linux/amd64',
    size: 5,
  })),
  containers: [
    {
      author: null,
      name: 'box',
      version: '1',
      platform: 'linux/amd64',
      key: sha256('signer'),
      time,
      document: blob,
      images: [{ ...blob, tags: ['latest'] }],
    },
  ],
};

/** What one document of each kind is read and written with. */
const kinds: readonly {
  kind: string;
  text: string;
  parse: (text: string) => unknown;
  write: (value: never) => string;
}[] = [
  { kind: 'pointer', text: pointerLine(pointer), parse: parsePointer, write: pointerLine },
  { kind: 'record', text: publishedRecordText(record), parse: parsePublishedRecord, write: publishedRecordText },
  { kind: 'container document', text: containerLine(document), parse: parseContainerLine, write: containerLine },
  { kind: 'index part', text: indexPartText(content), parse: parseIndexPart, write: indexPartText },
];

const faultOf = (action: () => unknown): unknown => {
  try {
    return action();
  } catch (error) {
    return error;
  }
};

describe.each(kinds)('a $kind', ({ text, parse, write }) => {
  const refused = (other: string) => {
    expect(other).not.toBe(text);
    expect(
      faultOf(() => parse(other)),
      other.slice(0, 200),
    ).toBeInstanceOf(FieldFault);
  };

  test('is what it was after it was written and read', () => {
    expect(write(parse(text) as never)).toBe(text);
  });

  test('has no members but the known ones', () => {
    refused(text.replace('{', '{"aaa":1,'));
    refused(text.replace('}\n', ',"zzz":1}\n'));
    refused(text.replace('}\n', ',"__proto__":{}}\n'));
    refused(text.replace('{', '{"__proto__":null,'));
    refused(text.replace('{', '{"constructor":1,'));
  });

  test('lacks none of its members, not even where prototypes have one of the name', () => {
    const members = JSON.parse(text) as Record<string, unknown>;
    for (const key of Object.keys(members)) {
      const { [key]: taken, ...rest } = members;
      refused(canonicalText(rest));
      refused(`{"__proto__":${canonicalText({ [key]: taken }).trim()},${canonicalText(rest).slice(1)}`);
    }
  });

  test('has each member once', () => {
    const first = /^\{("[a-zA-Z]+":)/.exec(text)![1]!;
    refused(text.replace('{', `{${first}1,`));
    refused(text.replace('{"', `{"format":1,"`));
  });

  test('has one form of white space, numbers and ends', () => {
    refused(text.replace('":', '": '));
    refused(` ${text}`);
    refused(text.trimEnd());
    refused(`${text}\n`);
    refused(text.replace('\n', '\r\n'));
    refused(`\ufeff${text}`);
    refused(text.replace('"format":1', '"format":1.0'));
    refused(text.replace('"format":1', '"format":1e0'));
    refused(text.replace('"format":1', '"format":"1"'));
    refused(text.replace('"format":1', '"format":2'));
    refused(text.replace('"format":1', '"format":true'));
    refused(text.replace('"linux/amd64"', '"linux\\/amd64"').replace('"place"', '"\\u0070lace"'));
  });

  test('is refused as any other JSON and as any other text, with a FieldFault and nothing else', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 5 }), (json) => refused(json)));
    fc.assert(fc.property(fc.string(), (other) => refused(other)));
    for (const deep of ['['.repeat(100_000), `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`]) refused(deep);
  });

  test('is refused or stays canonical with any value in the place of any of its own', () => {
    const paths = leavesOf(JSON.parse(text));
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>(-1, 1.5, 2 ** 53, 1e300, '', '..', '../../etc/passwd', 'a\0b', '\ud800', null, [], {}),
      fc.constantFrom<unknown>('__proto__', 'constructor', 'toString', `${'a/'.repeat(40)}b`, 'x'.repeat(10_000)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, other) => {
        const changed = JSON.parse(text);
        replaceAt(changed, path, other);
        const written = `${JSON.stringify(changed)}\n`;
        const answer = faultOf(() => parse(written));
        if (answer instanceof Error) expect(answer).toBeInstanceOf(FieldFault);
        else expect(write(answer as never)).toBe(written);
      }),
      { numRuns: 500 },
    );
  });
});

function leavesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key])),
  ];
}

function replaceAt(target: Record<string, unknown>, [key, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) target[key!] = value;
  else replaceAt(target[key!] as Record<string, unknown>, rest, value);
}

describe('a record', () => {
  const main = record.outputs.main!;
  const parsed = (changes: object) =>
    faultOf(() => parsePublishedRecord(canonicalText(JSON.parse(JSON.stringify({ ...record, ...changes })))));

  test('names at least one blob for each layer, and the layer main', () => {
    expect(parsed({})).not.toBeInstanceOf(Error);
    expect(parsed({ outputs: { main: { ...main, blobs: [] } } })).toBeInstanceOf(FieldFault);
    expect(parsed({ outputs: {} })).toBeInstanceOf(FieldFault);
    expect(parsed({ outputs: { doc: main } })).toBeInstanceOf(FieldFault);
    expect(parsed({ outputs: { main, doc: main } })).not.toBeInstanceOf(Error);
  });

  test('has no names that lead elsewhere', () => {
    for (const name of ['../x', 'a/../b', 'a', 'a/b/c', 'a/-b', 'A/b', '/a', 'a/b\n', 'a/..b']) {
      expect(parsed({ name }), name).toBeInstanceOf(FieldFault);
    }
    for (const version of ['', '../1', '-rf', '1/2', '1 2', '$(id)'])
      expect(parsed({ version }), version).toBeInstanceOf(FieldFault);
    const elf = (path: string) => ({ outputs: { main: { ...main, elf: [{ ...main.elf[0], path }] } } });
    for (const path of ['/etc/x', '../x', 'a//b', 'a/./b', ''])
      expect(parsed(elf(path)), path).toBeInstanceOf(FieldFault);
  });

  test('has lists and maps of a bounded length', () => {
    const blobs = Array.from({ length: 17 }, () => main.blobs[0]);
    expect(parsed({ outputs: { main: { ...main, blobs } } })).toBeInstanceOf(FieldFault);
    expect(parsed({ sources: Array.from({ length: 10_001 }, () => sha256('x')) })).toBeInstanceOf(FieldFault);
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`o${index}`, main]));
    expect(parsed({ outputs: { main, ...many } })).toBeInstanceOf(FieldFault);
  });
});

describe('a container document', () => {
  test('has ACI paths below aci/ only', () => {
    for (const path of [
      'x.aci',
      'aci/../x.aci',
      'aci//x.aci',
      '/aci/x.aci',
      'aci/.hidden.aci',
      'aci/x.txt',
      'aci/x.aci\n',
    ]) {
      const other = containerLine({ ...document, aci: [{ ...document.aci[0]!, path }] });
      expect(
        faultOf(() => parseContainerLine(other)),
        path,
      ).toBeInstanceOf(FieldFault);
    }
  });
});

describe('an index part', () => {
  test('is sorted, with each entry once, and all its references lead into its tables', () => {
    const rows = JSON.parse(indexPartText(content));
    const parsed = (changes: object) => faultOf(() => parseIndexPart(canonicalText({ ...rows, ...changes })));
    expect(parsed({})).not.toBeInstanceOf(Error);
    expect(parsed({ packages: rows.packages.toReversed() })).toBeInstanceOf(FieldFault);
    expect(parsed({ packages: [rows.packages[0], rows.packages[0]] })).toBeInstanceOf(FieldFault);
    expect(parsed({ containers: [rows.containers[0], rows.containers[0]] })).toBeInstanceOf(FieldFault);
    expect(parsed({ keys: [] })).toBeInstanceOf(FieldFault);
    expect(parsed({ keys: [...rows.keys, ...rows.keys] })).toBeInstanceOf(FieldFault);
    expect(parsed({ keys: [...rows.keys, 'f'.repeat(64)] })).toBeInstanceOf(FieldFault);
    expect(parsed({ packages: [] })).toBeInstanceOf(FieldFault);
    expect(parsed({ platforms: [] })).toBeInstanceOf(FieldFault);
    const [row] = rows.packages;
    for (const changed of [
      row.with(2, 1),
      row.with(2, -1),
      row.with(5, 0.5),
      row.slice(1),
      [...row, 1],
      row.with(2, '0'),
    ]) {
      expect(parsed({ packages: [changed] }), JSON.stringify(changed)).toBeInstanceOf(FieldFault);
    }
  });

  test('of 20,000 entries is what it was after it was compressed and read', async () => {
    const packages = Array.from({ length: 20_000 }, (_, index) => ({
      ...content.packages[0]!,
      hash: sha256(String(index)),
    }));
    const { bytes, reference } = await compressPart({ packages, containers: [] });
    expect(reference.entries).toBe(20_000);
    expect((await readPart(bytes)).packages).toHaveLength(20_000);
  });

  test('merges with another so that no entry is lost and each comes once', () => {
    const entry = fc.record({
      hash: fc.constantFrom('a', 'b', 'c', 'd').map(sha256),
      buildKey: fc.constant(sha256('k')),
      key: fc.constantFrom('x', 'y').map(sha256),
      name: fc.constant('a/b'),
      version: fc.constant('1'),
      platform: fc.constant('linux/amd64'),
      size: fc.nat(9),
    });
    const part = fc.array(entry).map((packages) => mergeIndex({ packages, containers: [] }, EMPTY_INDEX));
    fc.assert(
      fc.property(part, part, (one, other) => {
        const ids = ({ packages }: IndexContent) => packages.map(({ hash, key }) => `${hash} ${key}`);
        const merged = mergeIndex(one, other);
        expect(new Set(ids(merged))).toEqual(new Set([...ids(one), ...ids(other)]));
        expect(new Set(ids(merged)).size).toBe(merged.packages.length);
        for (const kept of one.packages) expect(merged.packages).toContainEqual(kept);
        expect(parseIndexPart(indexPartText(merged)).packages).toHaveLength(merged.packages.length);
      }),
    );
  });

  test('of two entries for one container the later counts, whichever comes first', () => {
    const later = { ...content.containers[0]!, time: '2027-01-02T03:04:05.678Z' };
    const [old, fresh] = [
      { packages: [], containers: content.containers },
      { packages: [], containers: [later] },
    ];
    expect(mergeIndex(old, fresh).containers).toEqual([later]);
    expect(mergeIndex(fresh, old).containers).toEqual([later]);
  });

  test('that is no zstd, is cut, or is a bomb is refused', async () => {
    const { bytes } = await compressPart(content);
    for (const other of [Buffer.from('hello'), bytes.subarray(0, bytes.length - 3), Buffer.alloc(0)]) {
      const fault = await readPart(other).catch((error) => error);
      expect(fault instanceof FieldFault || (fault instanceof BuilditError && fault.code === 'archive-refused')).toBe(
        true,
      );
    }
  });
});

describe('the file of a pointer', () => {
  test('is cut after its first line, and has one', () => {
    expect(splitPointer(Buffer.from('line\nsignature\n'))).toEqual({ line: 'line\n', signature: 'signature\n' });
    expect(faultOf(() => splitPointer(Buffer.from('line')))).toBeInstanceOf(FieldFault);
    expect(faultOf(() => splitPointer(Buffer.from([0xff, 0x0a])))).toBeInstanceOf(FieldFault);
  });
});

test('an index that readers would refuse is never written', async () => {
  const container = {
    ...{ author: null, name: 'a+b', version: '1.0+x', platform: 'linux/amd64', key: sha256('key') },
    ...{ time: '2026-01-01T00:00:00.000Z', document: { digest: sha256('document'), size: 1 }, images: [] },
  };
  await expect(compressPart({ packages: [], containers: [container] })).rejects.toThrow(FieldFault);
  const named = { ...container, name: 'ab', images: [{ digest: sha256('image'), size: 1, tags: ['1.0+x~1'] }] };
  await expect(compressPart({ packages: [], containers: [named] })).resolves.toMatchObject({
    reference: { entries: 1 },
  });
});
