import { join } from 'node:path';
import type { Records } from '../build/realise-plan.ts';
import { renderFile } from '../definition/render-file.ts';
import { type AciImage, assembleAci } from '../image/assemble-aci.ts';
import { assembleOci, type OciImage } from '../image/assemble-oci.ts';
import type { ImageCandidate } from '../image/image-member.ts';
import type { OciDefinition } from '../image/oci-config.ts';
import { possibleMembers } from '../image/possible-members.ts';
import { type ImageContent, prepareContent } from '../image/prepare-content.ts';
import { rootArchive } from '../image/root-archive.ts';
import { type SelectedImage, selectMembers } from '../image/select-members.ts';
import { LOCK_FILE, writeLock } from '../lock/lock-file.ts';
import { type ContainerDefinition, containerTitle, type ImageDefinition } from '../model/container.ts';
import { digestOfJson } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep, StandIn } from '../model/plan.ts';
import { isDebugOutput, type PackageRecord } from '../model/record.ts';
import type { OutputSpec } from '../publish/parse-output.ts';
import { type ImagesToPublish, publishImages } from '../publish/publish-images.ts';
import type { Published } from '../publish/published.ts';
import { rememberRoot } from '../store/remembered-roots.ts';
import { recordPath } from '../store/store-paths.ts';
import type { BuiltImage } from './contract.ts';
import type { Run } from './prepare-run.ts';
import { noteOutputs, readOutputs } from './read-outputs.ts';
import { refuseUndeclared } from './refuse-undeclared.ts';
import { convertedDigests } from './remember-lock.ts';
import { passImageTests } from './test-run.ts';
import { warnOfImages } from './warn-of-images.ts';

/** Packages that the image may hold: what has to be there before anything of it can be decided. */
export function wantedForImage({ plan, definitions }: Run): Hash[] {
  const candidates = plan.imageCandidates.map((hash) => plan.stepsByHash.get(hash)!);
  const compiled = candidates.some((step) => step.kind === 'build' && step.package.root === 'toolchain');
  const runtime = compiled ? definitions.repositories.flatMap(({ debian }) => debian.runtime) : [];
  return possibleMembers({ requested: plan.requested, candidates, runtime });
}

/** What has to be found, converted or built for these candidates. */
export function realisedFor({ plan }: Run, candidates: readonly Hash[]): Hash[] {
  return [...new Set(candidates.map((hash) => plan.standIns.get(hash)?.hash ?? hash))];
}

/** Decides which packages the image holds, by what they really need. */
export async function selectForImage(run: Run, wanted: readonly Hash[], records: Records): Promise<SelectedImage> {
  try {
    return selectAmong(run, wanted, records);
  } catch (error) {
    // Says more of what is missing than the image alone can know.
    await refuseUndeclared(run, wanted, records);
    throw error;
  }
}

function selectAmong({ plan, definitions }: Run, wanted: readonly Hash[], records: Records): SelectedImage {
  const candidates = wanted.flatMap((hash): ImageCandidate[] => {
    const step = plan.stepsByHash.get(hash)!;
    if (step.kind === 'build') return buildCandidates(step, records.get(hash)!);
    const standIn = plan.standIns.get(hash);
    if (standIn === undefined) return [{ kind: 'debian', hash, pin: step.pin, record: records.get(hash)! }];
    return [standInCandidate(step, standIn, plan.stepsByHash.get(standIn.hash) as BuildStep, records)];
  });
  const { base } = definitions.container;
  const baseStep = base === false ? undefined : plan.steps.find(({ name }) => name === base);
  const parts = (definitions.requestedParts ?? []).map(({ name, part, position }) => {
    const { hash } = plan.steps.find((step) => step.name === name)!;
    if (Object.hasOwn(records.get(hash)!.outputs, part)) return partHash(hash, part);
    throw new BuilditError(
      'definition-invalid',
      `Cannot put "${name}:${part}" into the image: expected files that belong to it, found none in what was built`,
      { position },
    );
  });
  return selectMembers({ requested: [...plan.requested, ...parts], base: baseStep?.hash, candidates });
}

/** The package, and each of its parts that something may need. */
export function buildCandidates(step: BuildStep, record: PackageRecord): ImageCandidate[] {
  const parts = Object.entries(record.outputs).filter(([name]) => name !== 'main');
  const own: ImageCandidate = { kind: 'build', hash: step.hash, package: step.package, record };
  return [
    own,
    ...parts.map(([part, layer]): ImageCandidate => {
      // Debug files name the libraries that they belong to, and are none.
      const main = isDebugOutput(part) ? { ...layer, elf: [] } : layer;
      const ownRecord = { ...record, outputs: { main } };
      return { kind: 'build', hash: partHash(step.hash, part), part, package: step.package, record: ownRecord };
    }),
  ];
}

/** Tells a sub-package from the others of its build. */
export function partHash(hash: Hash, part: string): Hash {
  return digestOfJson({ hash, part });
}

function standInCandidate(
  step: ConvertStep,
  { hash, output }: StandIn,
  build: BuildStep,
  records: Records,
): ImageCandidate {
  const record = records.get(hash)!;
  const layer = record.outputs[output];
  if (layer === undefined) {
    throw new BuilditError(
      'dependency-unsatisfied',
      `Cannot put "debian/${output}" into the image: expected ${build.name}-${build.version} to make it, found ${Object.keys(record.outputs).join(', ')}`,
    );
  }
  return {
    kind: 'debian',
    hash: step.hash,
    pin: step.pin,
    record: { ...record, outputs: { main: layer } },
    built: { hash, package: build.package },
  };
}

/** Makes the images of a container out of its packages, and writes them where they are wanted. */
export async function assembleRun(
  run: Run,
  selected: SelectedImage,
): Promise<{ readonly built: readonly BuiltImage[]; readonly images: ImagesToPublish }> {
  const { store, definitions, options } = run;
  const { container } = definitions;
  const content = await contentOf(run, selected);
  for (const text of content.notices) options.context.emit({ kind: 'notice', text });
  for (const text of content.warnings) options.context.emit({ kind: 'warning', text });
  await warnOfImages(run, selected, content);
  const outputs = readOutputs(run);
  noteOutputs(run, outputs);
  const images = await assembleImages(run, content, outputs);
  if (options.test) await passImageTests(run, content);
  const published = await publishImages(store, images, {
    directory: join(container.directory, 'out'),
    outputs,
    signal: options.context.signal,
    witness: options.witness,
  });
  for (const { kind, hash } of selected.members) {
    if (kind === 'build') options.witness.stored(recordPath(store, hash));
  }
  await keepLayerPlan(run, images);
  await rememberRoot(store, container.directory, {
    hashes: selected.members.map(({ hash }) => hash),
    digests: [...published.flatMap(({ blobs }) => blobs), ...(await convertedDigests(run))],
  });
  return { built: published.map((image) => builtImage(run, image)), images };
}

/** Decides all files of the container's images. */
export function contentOf({ store, definitions, options }: Run, selected: SelectedImage): Promise<ImageContent> {
  const { container } = definitions;
  return prepareContent(store, {
    container,
    selected: selected.members,
    render: (text, path) => renderFile(text, container.variables, path),
    witness: options.witness,
  });
}

async function assembleImages(
  run: Run,
  content: ImageContent,
  outputs: readonly OutputSpec[],
): Promise<ImagesToPublish> {
  const { store, definitions, lock, options } = run;
  const { images } = definitions.container;
  const oci: OciImage[] = [];
  const aci: AciImage[] = [];
  for (const definition of images.filter(({ kind }) => isWanted(kind, outputs))) {
    if (definition.kind === 'aci') {
      const image = await announced(run, 'aci', () => assembleAci(store, content, definition));
      aci.push(image);
    } else {
      const own = tagged(definition, options.tag);
      oci.push(await announced(run, 'oci', () => assembleOci(store, content, own, { shared: lock.layers })));
    }
  }
  return {
    oci,
    aci,
    docker: async () => {
      const described = images.filter((image) => image.kind === 'oci');
      const made: OciImage[] = [];
      for (const definition of described.length > 0 ? described : [plainOci(images[0]!)]) {
        const compression = definition.compression === 'zstd' ? 'gzip' : definition.compression;
        const own = tagged(definition, options.tag);
        const make = () => assembleOci(store, content, own, { shared: lock.layers, compression });
        made.push(await announced(run, 'docker', make));
      }
      return made;
    },
    rootArchive: () => rootArchive(content),
  };
}

/** Of several kinds of images those are made that somebody asked for. */
function isWanted(kind: ImageDefinition['kind'], outputs: readonly OutputSpec[]): boolean {
  return outputs.length === 0 || outputs.some(({ type }) => type === kind);
}

/** Says that an image is made, and how that ended. */
async function announced<Image extends OciImage | AciImage>(
  { definitions, options }: Run,
  kind: string,
  make: () => Promise<Image>,
): Promise<Image> {
  const { emit } = options.context;
  const label = imageLabel(definitions.container, kind);
  emit({ kind: 'image-started', label });
  try {
    const image = await make();
    const result = 'imageId' in image ? image.imageId : `sha256:${image.manifest.digest}`;
    emit({ kind: 'image-finished', label, results: [result] });
    return image;
  } catch (error) {
    emit({ kind: 'image-failed', label });
    throw error;
  }
}

function tagged(definition: OciDefinition, tags: readonly string[]): OciDefinition {
  return tags.length === 0 ? definition : { ...definition, tags };
}

/** A container that only describes an ACI can still be had for docker, without a configuration of its own. */
function plainOci({ position }: ImageDefinition): OciDefinition {
  return { kind: 'oci', config: {}, compression: 'gzip', layerBudget: 100, tags: [], annotations: {}, position };
}

function imageLabel(container: ContainerDefinition, kind: string): string {
  return `${containerTitle(container)} as ${kind.toUpperCase()}`;
}

/** Which packages share layers stays as it was decided first, so that one bump moves one layer. */
async function keepLayerPlan({ definitions, lock, options }: Run, { oci }: ImagesToPublish): Promise<void> {
  const shared = oci[0]?.shared;
  if (options.locked || shared === undefined || JSON.stringify(shared) === JSON.stringify(lock.layers)) return;
  await writeLock(definitions.container.directory, { ...lock, layers: shared });
  options.witness.wrote(join(definitions.container.directory, LOCK_FILE));
}

function builtImage(run: Run, { kind, path, digest, imageId, size }: Published): BuiltImage {
  return {
    label: imageLabel(run.definitions.container, kind),
    kind,
    path,
    digest,
    imageId,
    size,
  };
}
