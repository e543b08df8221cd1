import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LintRules, lintOutput } from '../../../src/build/lint/lint-output.ts';
import { keepLayer } from '../../../src/layer/keep-layer.ts';
import type { TarMember } from '../../../src/layer/tar-member.ts';
import type { KeptLayer } from '../../../src/model/layer.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

export async function probeStore(): Promise<Store> {
  return openStore(join(temporaryDirectory(), 'store'));
}

/** A layer as a build leaves it. */
export async function probeLayer(
  store: Store,
  members: readonly TarMember[],
  ownsTopLinks = false,
): Promise<KeptLayer> {
  return keepLayer(store, each(members), {
    mtime: { kind: 'fixed', seconds: 1_000_000_000 },
    owner: 'root',
    ...(ownsTopLinks ? { mapPath: (path: string) => path } : {}),
  });
}

async function* each(members: readonly TarMember[]): AsyncGenerator<TarMember> {
  yield* members;
}

/** What is found in a layer of these members, each as `code path: what`; its licence is not asked for. */
export async function findingsIn(
  members: readonly TarMember[],
  { directories = [], ...rules }: Partial<Omit<LintRules, 'directories'>> & { readonly directories?: string[] } = {},
): Promise<readonly string[]> {
  const store = await probeStore();
  const layer = await probeLayer(store, members, rules.ownsTopLinks);
  const found = await lintOutput(store, layer, {
    platform: process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64',
    ownsTopLinks: false,
    license: 'MIT',
    directories: new Set(directories),
    ...rules,
  });
  return found
    .filter(({ code }) => code !== 'missing-license')
    .map(({ code, path, found: what }) => `${code} ${path}: ${what}`);
}

const PROGRAM = 'int main(void) { return 0; }\n';

/** An ELF file that this machine's compiler makes of a C source, stripped unless told otherwise. */
export function compiled(
  options: readonly string[],
  { source = PROGRAM, language = 'c', strip = true }: { source?: string; language?: string; strip?: boolean } = {},
): Buffer {
  const directory = temporaryDirectory();
  const output = join(directory, 'out');
  execFileSync('gcc', ['-x', language, '-', '-o', output, ...options], {
    input: source,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  if (strip) execFileSync('strip', [output]);
  return readFileSync(output);
}
