import { BuilditError } from '../model/errors.ts';
import type { DebianSet, DebianSourcePin } from '../model/lock.ts';
import { parseBuildRelations } from './build-relations.ts';
import type { FoundSource } from './create-source-finder.ts';
import type { DebianArchive } from './open-archive.ts';

interface SourceWant {
  readonly name: string;
  readonly version?: string | undefined;
}

/**
 * Resolves what roots need, source packages with all they are built with besides, in one go, so that the set is
 * consistent. A source package that is pinned already stays as it is, whether the archive has it still or not.
 */
export async function resolveRoots(
  archive: Pick<DebianArchive, 'universe' | 'resolveNeeds'>,
  request: {
    readonly wants: readonly SourceWant[];
    readonly sources: readonly { readonly want: SourceWant; readonly kept: DebianSourcePin | undefined }[];
    readonly fixed: DebianSet;
    readonly essential?: boolean;
  },
  find: (wanted: SourceWant) => Promise<FoundSource>,
): Promise<{ readonly set: DebianSet; readonly sources: readonly DebianSourcePin[] }> {
  const { wants, fixed, essential = false } = request;
  const sources = await Promise.all(
    request.sources.map(async ({ want, kept }) => (kept === undefined ? { found: await find(want) } : { kept })),
  );
  const found = sources.flatMap((source) => source.found ?? []);
  const kept = sources.flatMap((source) => source.kept?.buildDepends ?? []);
  const { set, met } = archive.resolveNeeds({
    wants: [...wants, ...kept.map((name) => ({ name }))],
    fixed,
    essential,
    needs: found.map((source) => ({
      by: `the Debian source package ${source.name}`,
      groups: relationsOf(source, archive.universe.architecture),
    })),
  });
  const pins = new Map(found.map((source, index) => [source, pinOf(source, met[index]!)]));
  return { set, sources: sources.map((source) => source.kept ?? pins.get(source.found!)!) };
}

function relationsOf({ name, buildDepends }: FoundSource, architecture: string) {
  try {
    return parseBuildRelations(buildDepends, architecture);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new BuilditError(
      'input-invalid',
      `Cannot read what the Debian source package "${name}" is built with: expected ${error.message}`,
    );
  }
}

function pinOf(source: FoundSource, buildDepends: readonly string[]): DebianSourcePin {
  const { name, version, format, suite, archive, date, files, binaries } = source;
  const archives = files.filter(({ path }) => !path.endsWith('.dsc'));
  return { name, version, format, suite, archive, date, files: archives, binaries, buildDepends };
}
