import type { Records } from '../build/realise-plan.ts';
import { type ConvertedDeb, findConverted } from '../debian/convert-deb.ts';
import { convertDebs } from '../debian/convert-debs.ts';
import { fetchDebs } from '../debian/fetch-debs.ts';
import type { LayerCompression } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import type { Hash } from '../model/package-hash.ts';
import type { ConvertStep } from '../model/plan.ts';
import { platformText } from '../model/platform.ts';
import { type PackageRecord, RECORD_FORMAT } from '../model/record.ts';
import { blobSize } from '../store/read-blob.ts';
import { freeBytes } from '../system/files.ts';
import type { Run } from './prepare-run.ts';

/** Unpacked files and the layer beside the archive: Debian's packages grow to four times their size. */
const GROWTH = 6;
/** What builds and images need besides. */
const RESERVE_BYTES = 512 * 1024 ** 2;

/** Fetches and converts Debian packages; those that were converted before cost a look. */
export async function convertSteps(run: Run, steps: readonly ConvertStep[]): Promise<Records> {
  const { store, options } = run;
  const { context, config } = options;
  const records = new Map<Hash, PackageRecord>();
  const found = await Promise.all(
    steps.map(async (step) => ({ step, converted: await findConverted(store, step.pin) })),
  );
  for (const { step, converted } of found)
    if (converted !== undefined) records.set(step.hash, recordOf(run, step, converted));
  const missing = steps.filter(({ hash }) => !records.has(hash));
  if (missing.length === 0) return records;

  const pins = missing.map(({ pin }) => pin);
  await requireSpace(run, pins);
  await fetchDebs(store, pins, { config, context, takeBlob: run.sharing.takeBlob });
  const byDigest = new Map(missing.map((step) => [step.pin.sha256, step]));
  const task = `convert ${missing[0]!.hash}`;
  context.emit({
    kind: 'task-started',
    task,
    label: `unpacking ${missing.length} Debian packages`,
    total: missing.length,
    unit: 'packages',
  });
  try {
    for (const { pins: group, ...how } of conversionGroups(run, pins)) {
      const progress = {
        onProgress: () =>
          context.emit({ kind: 'task-progress', task, done: records.size - steps.length + missing.length }),
      };
      const { jobs } = config.build;
      for await (const { pin, converted } of convertDebs(store, group, {
        signal: context.signal,
        jobs,
        ...how,
        ...progress,
      })) {
        const step = byDigest.get(pin.sha256)!;
        records.set(step.hash, recordOf(run, step, converted));
      }
    }
    context.emit({ kind: 'task-finished', task, outcome: 'done' });
  } catch (error) {
    context.emit({ kind: 'task-finished', task, outcome: 'failed' });
    throw error;
  }
  return records;
}

interface ConversionGroup {
  readonly pins: readonly DebianPin[];
  readonly encode?: LayerCompression;
  readonly tree?: 'later';
}

/**
 * What may enter an OCI image is compressed in the same pass; what only builds need never is. What is in no root and in
 * no ACI, which is made of files, need not be unpacked.
 */
function conversionGroups({ plan }: Run, pins: readonly DebianPin[]): readonly ConversionGroup[] {
  const { images } = plan.container;
  const oci = images.find((image) => image.kind === 'oci');
  if (oci?.kind !== 'oci') return [{ pins }];
  const digestsOf = (hashes: readonly Hash[]) =>
    new Set(hashes.flatMap((hash) => plan.conversions.get(hash)?.pin.sha256 ?? []));
  const inImage = digestsOf(plan.imageCandidates);
  const unpacked = digestsOf(plan.steps.flatMap(({ root }) => root));
  const needsTree = ({ sha256 }: DebianPin) => unpacked.has(sha256) || images.some(({ kind }) => kind === 'aci');
  const encoded = pins.filter(({ sha256 }) => inImage.has(sha256));
  return [
    { pins: encoded.filter((pin) => !needsTree(pin)), encode: oci.compression, tree: 'later' },
    { pins: encoded.filter(needsTree), encode: oci.compression },
    { pins: pins.filter(({ sha256 }) => !inImage.has(sha256)) },
  ];
}

async function requireSpace({ store }: Run, pins: readonly DebianPin[]): Promise<void> {
  const sizes = await Promise.all(
    pins.map(async ({ sha256, size }) => ((await blobSize(store, sha256)) === undefined ? size : 0)),
  );
  const needed =
    pins.reduce((sum, { size }) => sum + size * (GROWTH - 1), 0) +
    sizes.reduce((sum, size) => sum + size, 0) +
    RESERVE_BYTES;
  const free = await freeBytes(store.directory);
  if (free >= needed) return;
  const inMegabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new BuilditError(
    'disk-full',
    `Cannot fetch ${pins.length} Debian packages: expected ${inMegabytes(needed)} free below "${store.directory}", found ${inMegabytes(free)}`,
    { hint: 'buildit gc frees what nothing refers to; BUILDIT_STORE or --store names another place' },
  );
}

function recordOf({ plan }: Run, { hash, pin }: ConvertStep, { layer, sourceDate }: ConvertedDeb): PackageRecord {
  return {
    format: RECORD_FORMAT,
    kind: 'debian',
    hash,
    buildKey: undefined,
    name: pin.name,
    version: pin.version,
    platform: platformText(plan.container.platform),
    outputs: { main: layer },
    sources: [pin.sha256],
    patches: [],
    sourceDate,
    builder: 'debian',
    startedAt: '',
    finishedAt: '',
    log: undefined,
  };
}
