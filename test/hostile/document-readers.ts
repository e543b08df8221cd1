// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts of other languages
import { join } from 'node:path';
import { parseContainerLine } from '../../src/binhost/container-document.ts';
import { parseImageManifest } from '../../src/binhost/image-manifest.ts';
import { parseIndexPart } from '../../src/binhost/index-part.ts';
import { MOST_POINTER_BYTES, parsePointer, splitPointer } from '../../src/binhost/pointer.ts';
import { parsePublishedRecord } from '../../src/binhost/published-record.ts';
import { parseReceipt, receiptText } from '../../src/cli/receipt/receipt-text.ts';
import { lintSpelling } from '../../src/definition/lint/lint-spelling.ts';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import { renderText } from '../../src/definition/template.ts';
import { parseBuilditJson } from '../../src/discover/parse-buildit-json.ts';
import { YAML_LIMITS } from '../../src/document/compose-yaml.ts';
import { createDocumentText } from '../../src/document/document-text.ts';
import { parseYaml } from '../../src/document/parse-yaml.ts';
import { Problems } from '../../src/document/problems.ts';
import { type SchemaName, validateSchema } from '../../src/document/validate-schema.ts';
import type { YamlScalar } from '../../src/document/yaml-node.ts';
import { importMelange } from '../../src/draft/import/import-melange.ts';
import { locateSteps } from '../../src/edit/locate-steps.ts';
import { parseAciManifest } from '../../src/image/aci-manifest.ts';
import { parseStrictJson } from '../../src/image/strict-json.ts';
import { parseListing } from '../../src/layer/listing.ts';
import { parseContainerLock, parseRepositoryLock } from '../../src/lock/parse-lock.ts';
import { parseVendorLock } from '../../src/model/vendor-lock.ts';
import { parseRecordDocument } from '../../src/store/records.ts';
import { behind, COMMON, type HostileReader, nested, type Pattern, repeated } from './hostile-reader.ts';
import { scratch, scratchFile } from './scratch.ts';

const document = (bytes: Buffer, name = 'a.yaml') => createDocumentText(name, `/a/${name}`, bytes.toString('utf8'));

const YAML: readonly Pattern[] = [
  ...[
    '- a\n',
    '- {a: b}\n',
    '&a ',
    '*a ',
    '!!a ',
    '? ',
    '|\n ',
    '>\n ',
    '---\n',
    '...\n',
    '%a\n',
    '"\\u0041',
    "''",
    '\t- ',
  ].map((unit) => repeated(unit)),
  ...['- ', 'a: ', '[', '{a: ', '? ', '- - '].map((unit) => nested(unit, '')),
  nested('[', ']'),
  nested('{a: ', '}'),
  repeated((index) => `k${index}: v\n`),
  repeated((index) => `k${index}: *k${index - 1}\n`),
  repeated((index) => `k${index}: {a: [b, c], d: "e"}\n`),
  repeated((index) => `${' '.repeat(index % 80)}a:\n`),
  repeated('  x\n', { before: 'a: |\n' }),
  repeated('  x\n\n', { before: 'a: >\n' }),
  repeated(' x\n', { before: 'a: "\n', after: '"\n' }),
  repeated('\\n', { before: 'a: "', after: '"\n' }),
  repeated(' x', { before: 'a:' }),
  repeated('# x\n', { before: 'a: b\n' }),
  repeated(' # x', { before: 'a: b' }),
  ...behind('a: "'),
  ...behind("a: '"),
  ...behind('a: ['),
  ...behind('a: '),
];

/** Everything of a schema wrong, or much of it right. */
const SCHEMA_YAML: Readonly<Record<string, readonly Pattern[]>> = {
  pkg: [
    repeated((index) => `  ${index}: {sha256: a}\n`, { before: 'name: a/b\nversions:\n' }),
    repeated((index) => `  - {url: "https://a/${index}", sha256: a}\n`, { before: 'name: a/b\nversion: 1\nsource:\n' }),
    repeated((index) => `  f${index}: {default: on}\n`, { before: 'name: a/b\nversion: 1\nflags:\n' }),
    repeated('{{name}}', { before: 'name: a/b\nversion: 1\ndescription: "', after: '"\n' }),
    repeated('a>=1,', { before: 'name: a/b\nversion: 1\ndependencies: {link: ["', after: '"]}\n' }),
    repeated('a/b, ', { before: 'name: a/b\nversion: 1\ndependencies: {link: [', after: 'a]}\n' }),
    repeated((index) => `confgure${index}: a\n`, { before: 'name: a/b\nversion: 1\n' }),
    repeated('(MIT OR ', { before: 'name: a/b\nversion: 1\nlicense: ', after: '\n' }),
  ],
  container: [
    repeated('- package: {type: embedded, path: ./a}\n'),
    repeated((index) => `- debian: a${index}\n`),
    repeated('- image: {type: oci}\n'),
    repeated('- {a: b}\n'),
    repeated((index) => `    V${index}: "{{name}}"\n`, { before: '- vars:\n' }),
    repeated((index) => `- vars: {v${index}: "{{ v${index - 1} }}{{ v${index - 1} }}"}\n`),
    repeated('"{{ name }}", ', { before: '- image: {type: oci, tags: [', after: ']}\n' }),
    repeated((index) => `- package: {type: recipe, name: a/b${index}}\n`),
  ],
  repository: [
    repeated((index) => `a${index}, `, { before: 'name: main\ndebian: {suites: [', after: ']}\n' }),
    repeated((index) => `a${index}: b\n`, { before: 'name: main\n' }),
  ],
  class: [repeated((index) => `  p${index}: x\n`, { before: 'phases:\n' })],
  'buildit-config': [
    repeated((index) => `  a${index}: {type: https, path: a}\n`, { before: 'binhosts:\n' }),
    repeated((index) => `a${index}: b\n`),
  ],
  buildit: [
    repeated((index) => `"a${index}": {}, `, { before: '{"name": "a", "recipes": {', after: '"z": {}}}' }),
    repeated((index) => `"ssh-ed25519 ${index}", `, { before: '{"name": "a", "signers": [', after: '""]}' }),
  ],
};

function schemaReader(schema: SchemaName): HostileReader {
  return {
    name: `YAML as the schema "${schema}" has it`,
    mostBytes: YAML_LIMITS.bytes,
    patterns: SCHEMA_YAML[schema]!,
    async feed(bytes) {
      const root = parseYaml(document(bytes), 'definition-invalid');
      const problems = new Problems('definition-invalid');
      await validateSchema(schema, root, problems, {});
      lintSpelling(root);
      problems.throwAll();
    },
  };
}

const config = { recipes: [], use: { with: [], without: [] }, userPatches: join(scratch, 'patches') };
const CONTAINER =
  '- vars: {name: web, version: 1, author: A}\n- package: {type: embedded, path: ./pkg}\n- image: {type: oci}\n';

const JSON_PATTERNS: readonly Pattern[] = [
  nested('[', ']'),
  nested('{"a":', '}'),
  ...['[', '{"a":', '"\\u0041', '1', '1e', '-', 'null', '{},', '"a",', '[[],', '\\"'].map((unit) => repeated(unit)),
  ...['"a",', '[],', '{},', '1,', '1e9,', 'true,', '""  ,', '{"a":1},', '"\\ud800",', '[[[]]],'].map((unit) =>
    repeated(unit, { before: '[', after: '0]' }),
  ),
  repeated((index) => `"k${index}":0,`, { before: '{', after: '"z":0}' }),
  repeated((index) => `"${index}":{"a":[]},`, { before: '{', after: '"z":0}' }),
  repeated('"__proto__":{},', { before: '{', after: '"z":0}' }),
  repeated('a', { before: '{"', after: '":0}' }),
  repeated('\\n', { before: '["', after: '"]' }),
  repeated(' ', { before: '[', after: ']' }),
  repeated('9', { before: '[', after: ']' }),
  repeated('0', { before: '[0.', after: ']' }),
];

const DIGEST = 'a'.repeat(64);

function jsonReader(
  name: string,
  feed: HostileReader['feed'],
  patterns: readonly Pattern[] = [],
  mostBytes?: number,
): HostileReader {
  return {
    name,
    patterns: [...COMMON, ...JSON_PATTERNS, ...patterns],
    feed,
    ...(mostBytes === undefined ? {} : { mostBytes }),
  };
}

const members = (before: string, unit: (index: number) => string, after: string) =>
  repeated((index) => `${index === 0 ? '' : ','}${unit(index)}`, { before, after });

const aciContext = {
  platform: { os: 'linux', architecture: 'amd64' },
  position: { file: 'manifest', line: 1, column: 1 },
  hasUser: () => false,
  hasGroup: () => false,
} as const;

export const DOCUMENT_READERS: readonly HostileReader[] = [
  {
    name: 'YAML',
    mostBytes: YAML_LIMITS.bytes,
    patterns: [...COMMON, ...YAML],
    feed: (bytes) => parseYaml(document(bytes), 'definition-invalid'),
  },
  ...(['pkg', 'container', 'repository', 'class', 'buildit-config', 'buildit'] as const).map(schemaReader),
  {
    name: 'container.yaml, all of it',
    mostBytes: YAML_LIMITS.bytes,
    patterns: SCHEMA_YAML.container!,
    feed: (bytes) => readDefinitions(scratch, { config, container: document(bytes, 'container.yaml') }),
  },
  {
    name: 'pkg.yaml, all of it',
    mostBytes: YAML_LIMITS.bytes,
    patterns: SCHEMA_YAML.pkg!,
    feed: (bytes) => {
      scratchFile('pkg/pkg.yaml', bytes);
      return readDefinitions(scratch, { config, container: document(Buffer.from(CONTAINER), 'container.yaml') });
    },
  },
  {
    name: 'steps of container.yaml, to be edited',
    mostBytes: YAML_LIMITS.bytes,
    patterns: SCHEMA_YAML.container!,
    feed: (bytes) => {
      const root = parseYaml(document(bytes), 'definition-invalid');
      if (root.kind === 'list') locateSteps(root);
    },
  },
  {
    name: 'template',
    patterns: [
      ...COMMON,
      ...[
        '{{name}}',
        '{{ name }}',
        '\\{{',
        '\\\\{{',
        '{{ ',
        '}}',
        '{{{',
        '{{#if a}}',
        '{{> a}}',
        '{{!',
        '{{ a b }}',
        '{{/a}}',
        '{{^}}',
      ].map((unit) => repeated(unit)),
      ...behind('{{'),
      ...behind('{{ name '),
      nested('{{#a}}', '{{/a}}'),
      nested('{{#a}}', ''),
      nested('{{(', ')}}'),
    ],
    feed: (bytes) => {
      const text = bytes.toString('latin1');
      const node: YamlScalar = {
        kind: 'scalar',
        style: 'block',
        text,
        value: text,
        document: document(bytes),
        start: 0,
        end: text.length,
      };
      const problems = new Problems('definition-invalid');
      renderText(text, node, { values: new Map([['name', 'x'.repeat(255)]]), problems });
      problems.throwAll();
    },
  },
  {
    name: 'melange file to be imported',
    mostBytes: YAML_LIMITS.bytes,
    patterns: [
      repeated('  - runs: make\n', { before: 'package: {name: a, version: "1"}\npipeline:\n' }),
      repeated((index) => `  - uses: a${index}\n`, { before: 'package: {name: a, version: "1"}\npipeline:\n' }),
      repeated('${{package.version}}', {
        before: 'package: {name: a, version: "1"}\npipeline: [{runs: "',
        after: '"}]\n',
      }),
      repeated('${{', { before: 'package: {name: a, version: "1"}\npipeline: [{runs: "', after: '"}]\n' }),
      repeated('(MIT AND ', { before: 'package: {name: a, version: "1", copyright: [{license: "', after: '"}]}\n' }),
    ],
    feed: (bytes) => importMelange(bytes.toString('utf8'), 'a.yaml', {}),
  },
  jsonReader(
    'buildit.json',
    (bytes) => parseBuilditJson(document(bytes, 'buildit.json'), { isAlone: false, allowThisMachine: false }),
    SCHEMA_YAML.buildit,
    YAML_LIMITS.bytes,
  ),
  jsonReader('strict JSON', (bytes) => parseStrictJson(bytes.toString('utf8'))),
  jsonReader(
    'manifest of an ACI',
    (bytes) => parseAciManifest(bytes.toString('utf8'), aciContext),
    [
      members(
        '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","labels":[',
        (index) => `{"name":"l${index}","value":"b"}`,
        ']}',
      ),
      members(
        '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","annotations":[',
        () => '{"name":"A B","value":1}',
        ']}',
      ),
      members(
        '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","app":{"environment":[',
        () => '{"name":"a"}',
        ']}}',
      ),
      members('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","pathWhitelist":[', () => '"a"', ']}'),
      members('{"acKind":"ImageManifest","acVersion":"0.8.11","name":"a","dependencies":[', () => '{}', ']}'),
    ],
    YAML_LIMITS.bytes,
  ),
  jsonReader('buildit.lock of a container', (bytes) => parseContainerLock(bytes.toString('utf8'), 'buildit.lock'), [
    members('{\n"format":1,\n"kind":"container",\n"packages":{\n', (index) => `"a${index}":{}\n`, '}}'),
  ]),
  jsonReader('buildit.lock of a repository', (bytes) => parseRepositoryLock(bytes.toString('utf8'), 'buildit.lock')),
  jsonReader('vendor.lock', (bytes) => parseVendorLock(bytes.toString('utf8'), 'vendor.lock'), [
    members('{"format":1,"versions":{', (index) => `"${index}":{"from":{},"files":[]}`, '}}'),
    members(
      '{"format":1,"versions":{"1":{"from":{},"files":[',
      (index) => `{"name":"pkg:cargo/a${index}@1.0.0","sha256":"${DIGEST}","size":1}`,
      ']}}}',
    ),
  ]),
  jsonReader('package record', (bytes) => parsePublishedRecord(bytes.toString('utf8'))),
  jsonReader('record of the store', (bytes) => parseRecordDocument(JSON.parse(bytes.toString('utf8')))),
  jsonReader('part of an index', (bytes) => parseIndexPart(bytes.toString('utf8')), [
    members('{"containers":[', () => '{}', '],"format":1,"packages":[]}\n'),
    members('{"containers":[],"format":1,"packages":[', () => `{"hash":"${DIGEST}"}`, ']}\n'),
  ]),
  jsonReader('pointer of a binhost', (bytes) => parsePointer(splitPointer(bytes).line), [], MOST_POINTER_BYTES),
  jsonReader('document of a container', (bytes) => parseContainerLine(`${bytes.toString('utf8')}\n`)),
  jsonReader('manifest of an image', (bytes) => parseImageManifest(bytes, 'manifest'), [
    members(
      `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:${DIGEST}","size":1},"layers":[`,
      () => `{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:${DIGEST}","size":1}`,
      ']}',
    ),
  ]),
  jsonReader('listing of a layer', (bytes) => parseListing(bytes, 'listing'), [
    members(
      '[',
      (index) => `{"gid":0,"mode":493,"mtime":0,"path":"a${String(index).padStart(7, '0')}","type":"dir","uid":0}`,
      ']\n',
    ),
    members('[', (index) => `{"path":"a${String(index).padStart(7, '0')}"}`, ']\n'),
  ]),
  jsonReader('receipt of a run', (bytes) => {
    const whole = receiptText('/a', {} as never);
    parseReceipt('/a', whole.slice(0, 65) + bytes.toString('utf8'));
  }),
];
