import { join } from 'node:path';
import { composeRoot } from '../../src/build/compose-root.ts';
import { runTests, type TestSetting } from '../../src/build/run-tests.ts';
import type { TestSubject } from '../../src/build/test-root.ts';
import { openWorkspace } from '../../src/build/workspace.ts';
import { completeTree } from '../../src/image/complete-tree.ts';
import { draftLayer, type ImageLayer, memberLayer } from '../../src/image/image-layer.ts';
import { layOutTree } from '../../src/image/lay-out-tree.ts';
import { mergeTree, overlayTree } from '../../src/image/merge-tree.ts';
import { readListing } from '../../src/layer/listing.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { BuilditError } from '../../src/model/errors.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import type { LayerEntry } from '../../src/model/layer.ts';
import type { TestDefinition } from '../../src/model/test-definition.ts';
import { hostPlatform } from '../../src/system/host-platform.ts';
import { keepHostLayer } from '../support/host-root.ts';
import { programPath } from '../support/requires.ts';
import { openLocal } from './open-harness.ts';

/** A file that lies on top of the programs of a tested root. */
export interface OwnFile {
  readonly text: string;
  readonly mode?: number;
  readonly uid?: number;
}

export interface TestedRoot {
  readonly kind?: TestSubject['kind'];
  readonly uid?: number;
  readonly files?: Readonly<Record<string, OwnFile>>;
  readonly programs?: readonly string[];
  readonly directory?: string;
  readonly signal?: AbortSignal;
}

export const POSITION = { file: 'pkg.yaml', line: 7, column: 5, excerpt: '  - {run: [x]}' };

/** A test that runs a shell, or what the changes say. */
export function testOf(script: string, changes: Partial<TestDefinition> = {}): TestDefinition {
  return {
    name: 'works',
    action: { kind: 'script', script },
    stdout: undefined,
    stderr: undefined,
    exitCode: 0,
    stdin: undefined,
    environment: {},
    timeoutMs: 20_000,
    position: POSITION,
    ...changes,
  };
}

export interface TestsRan {
  readonly failures: readonly BuilditError[];
  readonly events: readonly BuilditEvent[];
}

/** Runs tests on a root of this machine's programs with some files on top. */
export async function runOn(
  {
    kind = 'package',
    uid = 1000,
    files = {},
    programs,
    directory = '/tmp',
    signal = new AbortController().signal,
  }: TestedRoot,
  ...tests: readonly TestDefinition[]
): Promise<TestsRan> {
  const { store } = await openLocal();
  const host = await keepHostLayer(store);
  const layer = programs === undefined ? host : await keepHostLayer(store, programs);
  const member = { name: 'host', version: '1', kind: 'build', hash: sha256('host'), layer, sourceDate: 0 } as const;
  const listing = await readListing(store, layer.listing);
  const below = memberLayer(store, { ...member, license: undefined, users: [], listing });
  const above = ownLayer({ 'etc/own': { text: 'own\n' }, ...files });
  const tree = overlayTree(mergeTree([below]), above);
  const workspace = await openWorkspace(store, sha256('tests'), 'tests');
  const events: BuilditEvent[] = [];
  try {
    const setting: TestSetting = {
      bubblewrap: [programPath('bwrap')!],
      tools: await composeRoot(store, [host.diffId], async () => ({ label: 'host', layer: host })),
      platform: hostPlatform(),
      workspace,
      memoryBytes: 512 * 2 ** 20,
    };
    const subject: TestSubject = {
      title: 'app-misc/probe-1.0',
      kind,
      tree: completeTree(
        await layOutTree(store, { tree, layers: [below, above] }, join(workspace.path, 'root')),
        'app-misc/probe-1.0',
        directory,
      ),
      uid,
      gid: uid,
      environment: { PATH: '/usr/bin', HOME: '/tmp' },
      directory,
      hint: 'buildit shell app-misc/probe --test',
    };
    const emit = (event: BuilditEvent) => void events.push(event);
    return { failures: await runTests(tests, subject, setting, { signal, emit }), events };
  } finally {
    await workspace.release();
  }
}

function ownLayer(files: Readonly<Record<string, OwnFile>>): ImageLayer {
  const facts = { gid: 0, mtime: 0 };
  const entries = new Map<string, LayerEntry>();
  const addDirectory = (path: string, mode: number) => {
    if (path !== '' && !entries.has(path)) entries.set(path, { path, type: 'directory', mode, uid: 0, ...facts });
  };
  addDirectory('tmp', 0o1777);
  addDirectory('run', 0o755);
  for (const [path, { text, mode = 0o644, uid = 0 }] of Object.entries(files)) {
    path
      .split('/')
      .slice(0, -1)
      .reduce((parent, name) => {
        const directory = parent === '' ? name : `${parent}/${name}`;
        addDirectory(directory, 0o755);
        return directory;
      }, '');
    const size = Buffer.byteLength(text);
    entries.set(path, { path, type: 'file', mode, uid, size, sha256: sha256(text), ...facts });
  }
  const contents = Object.entries(files).map(
    ([path, { text }]) => [path, { kind: 'bytes', bytes: Buffer.from(text) }] as const,
  );
  const listing = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return draftLayer('own files', { listing, contents: new Map(contents) });
}
