import { readTar } from '../../src/layer/read-tar.ts';
import { layerTar } from '../../src/layer/write-tar.ts';
import type {
  BuildContext,
  BuildExecutor,
  BuildLimits,
  BuildRequest,
  BuildResult,
} from '../../src/model/build-request.ts';
import { sha256 } from '../../src/model/digest.ts';
import { putBlob } from '../../src/store/put-blob.ts';
import type { Store } from '../../src/store/store.ts';

/** An executor and what a request for it must name. */
export interface ExecutorHarness {
  readonly store: Store;
  readonly executor: BuildExecutor;
  readonly root: BuildRequest['root'];
}

export const LIMITS: BuildLimits = {
  timeoutMs: 20_000,
  memoryBytes: 512 * 2 ** 20,
  processes: 200,
  diskBytes: 256 * 2 ** 20,
  logBytes: 2 ** 20,
};

/** A request that runs these scripts, and nothing else about it. */
export function requestFor(
  { root }: Pick<ExecutorHarness, 'root'>,
  scripts: Partial<Record<BuildRequest['phases'][number]['name'], string>>,
  rest: Partial<BuildRequest> = {},
): BuildRequest {
  return {
    format: 1,
    hash: sha256(JSON.stringify([scripts, rest])),
    name: 'app-misc/probe',
    version: '1.0',
    platform: 'linux/amd64',
    root,
    packingRoot: root,
    sources: [],
    patches: [],
    files: [],
    environment: {},
    phases: Object.entries(scripts).map(([name, script]) => ({ name, script })) as unknown as BuildRequest['phases'],
    jobs: 2,
    limits: LIMITS,
    ...rest,
  };
}

export interface Ran {
  readonly result: BuildResult;
  readonly log: string;
  readonly phases: readonly string[];
}

export async function run(
  { executor }: Pick<ExecutorHarness, 'executor'>,
  request: BuildRequest,
  rest: Partial<BuildContext> = {},
): Promise<Ran> {
  const chunks: Uint8Array[] = [];
  const phases: string[] = [];
  const result = await executor.run(request, {
    signal: new AbortController().signal,
    keepFailed: false,
    onPhase: (phase) => phases.push(phase),
    onLog: (chunk) => chunks.push(chunk),
    ...rest,
  });
  return { result, log: Buffer.concat(chunks).toString(), phases };
}

/** Runs a request that must succeed. Answers the files it packed with their text, and the log. */
export async function build(harness: Pick<ExecutorHarness, 'executor'>, request: BuildRequest) {
  const { result, log, phases } = await run(harness, request);
  if (result.kind === 'failed') throw new Error(`${result.phase}: ${result.explanation}\n${log}`);
  try {
    const files: Record<string, string> = {};
    for await (const { path, type, content, target } of readTar(result.output)) {
      if (type === 'file') files[path] = await textOf(content);
      if (type === 'symlink') files[path] = `-> ${target}`;
    }
    return { files, log, phases, sourceDate: result.sourceDate };
  } finally {
    await result.release();
  }
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Stores a tar of these files, each with its time in seconds. */
export async function putSource(store: Store, files: Record<string, { text: string; mtime: number }>): Promise<string> {
  const entries = Object.keys(files)
    .sort()
    .map((path) => ({ path, mode: 0o644, uid: 0, gid: 0, mtime: files[path]!.mtime, type: 'file' as const }))
    .map((entry) => ({ ...entry, size: Buffer.byteLength(files[entry.path]!.text), sha256: '' }));
  const tar = layerTar(entries, ({ path }) => Buffer.from(files[path]!.text));
  return (await putBlob(store, tar)).digest;
}

/** Stores patches, each named by its text. */
export async function putPatches(store: Store, texts: readonly string[]): Promise<BuildRequest['patches']> {
  const patches = [];
  for (const text of texts) patches.push({ digest: (await putBlob(store, Buffer.from(text))).digest, label: text });
  return patches;
}
