import { ensureIdentity, readIdentity } from '../binhost/binhost-identity.ts';
import { PAGE_PATH } from '../binhost/binhost-paths.ts';
import { aciPath, CONTAINER_FORMAT, type ContainerDocument } from '../binhost/container-document.ts';
import { isContainerName } from '../binhost/container-entry.ts';
import { publishContainer, settleViews } from '../binhost/publish-container.ts';
import { type PackageToPublish, type PublishPackagesOptions, publishPackages } from '../binhost/publish-packages.ts';
import { goneOutput, publishedRecord } from '../binhost/published-package.ts';
import { type BlobReference, parsePublishedRecord } from '../binhost/published-record.ts';
import { refuseForeignFiles } from '../binhost/refuse-foreign-files.ts';
import { addSignerLine } from '../binhost/signers-copy.ts';
import type { Records } from '../build/realise-plan.ts';
import type { AciImage } from '../image/assemble-aci.ts';
import type { OciImage } from '../image/assemble-oci.ts';
import { encodeLayer } from '../layer/encode-layer.ts';
import { append } from '../model/append.ts';
import type { BinhostConfig, RunContext } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import { platformText } from '../model/platform.ts';
import type { PackageRecord } from '../model/record.ts';
import { containerSpec } from '../publish/container-spec.ts';
import { parseImageName } from '../publish/image-name.ts';
import { openWriter } from '../remote/open-place.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { openSigner } from '../signing/open-signer.ts';
import { keyId } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import { parseSshsig } from '../signing/sshsig.ts';
import type { Trust } from '../signing/trust.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import { readKeptRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { findHome } from '../system/user-directories.ts';
import type { BuildOptions } from './contract.ts';
import { keepInputs } from './keep-inputs.ts';
import { trustInKey } from './open-cache.ts';
import { ownerOfKey } from './owner-of-key.ts';
import type { Run } from './prepare-run.ts';

/** A place that this run publishes to. */
export interface Publishing {
  readonly place: string;
  readonly writer: RemoteWriter;
  readonly options: PublishPackagesOptions;
  /** Makes the binhost where there is none, and lists who signs there; once in a run. Answers whether it was made now. */
  ready(): Promise<boolean>;
  /** Commits one after the other: those of one process need not race. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
}

/**
 * Opens the configured repository for writing. Keys are opened first, so that a passphrase is asked for before the work,
 * and a run that could not sign at its end does not begin.
 */
export async function openPublishing(
  options: Pick<BuildOptions, 'config' | 'context'>,
  trust: Trust,
): Promise<Publishing> {
  const { config, context } = options;
  const place = writablePlace(config);
  const signer = await openSigner(config.sign.key, { environment: process.env, ask: context.ask });
  if (signer === undefined) throw noSigner();
  const writer = await openWriter(
    { type: place.uploadType, path: place.uploadPath, driver: place.driver, timeoutMs: place.timeoutMs },
    {
      environment: process.env,
      home: findHome(process.env),
      signal: context.signal,
      onNotice: (text) => context.emit({ kind: 'notice', text }),
      ask: answerOrNothing(context.ask),
    },
  );
  try {
    if ((await readIdentity(writer)) === undefined) await refuseForeignFiles(writer);
  } catch (error) {
    await writer.close();
    throw error;
  }
  let last: Promise<unknown> = Promise.resolve();
  let ready: Promise<boolean> | undefined;
  return {
    place: place.name,
    writer,
    options: {
      name: place.name,
      signer,
      policy: { trust: orOwn(trust, signer), verify: place.verify, now: new Date() },
      now: new Date(),
      signal: context.signal,
    },
    ready() {
      ready ??= makeReady(writer, place.name, { options, signer });
      return ready;
    },
    inTurn(work) {
      const next = last.then(work);
      last = next.catch(() => undefined);
      return next;
    },
  };
}

async function makeReady(
  writer: RemoteWriter,
  name: string,
  { options, signer }: { readonly options: Pick<BuildOptions, 'config' | 'context'>; readonly signer: Signer },
): Promise<boolean> {
  const isNew = (await readIdentity(writer)) === undefined;
  await ensureIdentity(writer, name);
  try {
    await addSignerLine(writer, signer.publicKey, await ownerOfKey(options.config));
  } catch (error) {
    // The copy is for convenience: whoever made the place may keep others from changing it.
    if (!(error instanceof BuilditError) || !['cannot-write', 'input-invalid'].includes(error.code)) throw error;
    options.context.emit({ kind: 'warning', text: error.message, hint: 'keys/allowed_signers there lacks your key' });
  }
  return isNew;
}

/** An empty passphrase opens nothing, which is what giving none means. */
export function answerOrNothing(ask: RunContext['ask']): ((question: string) => Promise<string>) | undefined {
  return ask && (async (question) => (await ask(question)) ?? '');
}

type WritablePlace = BinhostConfig & { readonly uploadType: 'ssh' | 'file'; readonly uploadPath: string };

export function writablePlace({ repository }: BuildOptions['config']): WritablePlace {
  if (repository?.uploadType !== undefined && repository.uploadPath !== undefined) return repository as WritablePlace;
  throw new BuilditError(
    'configuration-invalid',
    'Cannot publish: expected a repository with upload-type and upload-path in the configuration, found none',
    { hint: 'write one into .buildit-config.yaml: see `buildit schema buildit-config` and `buildit push --help`' },
  );
}

export function noSigner(): BuilditError {
  return new BuilditError('authentication-failed', 'Cannot publish: expected a key to sign with, found none', {
    hint: '`buildit key new` makes one; or name yours in your configuration: sign: {key: ~/.ssh/id_ed25519}',
  });
}

/** The index may be built upon where somebody trusted signed it, or this signer did. */
export function orOwn(trust: Trust, { publicKey }: Pick<Signer, 'publicKey'>): Trust {
  const own = trustInKey(publicKey);
  return {
    judge(message, armored, options) {
      const verdict = trust.judge(message, armored, options);
      if (verdict.kind !== 'stranger' && verdict.kind !== 'other-namespace') return verdict;
      const { principals: _, ...rest } = options;
      const other = own.judge(message, armored, rest);
      return other.kind === 'trusted' ? other : verdict;
    },
    judgeKey(id, options) {
      const verdict = trust.judgeKey(id, options);
      if (verdict.kind !== 'stranger' && verdict.kind !== 'other-namespace') return verdict;
      const { principals: _, ...rest } = options;
      const other = own.judgeKey(id, rest);
      return other.kind === 'trusted' ? other : verdict;
    },
    knows: (id) => trust.knows(id) || own.knows(id),
  };
}

/** Publishes packages with everything they were made of, so that they can be built again when their upstream is gone. */
export async function publishRecords(
  run: Run,
  publishing: Publishing,
  records: readonly PackageRecord[],
): Promise<void> {
  const { store } = run;
  const packages: PackageToPublish[] = [];
  const extraBlobs: BlobReference[] = [];
  for (const record of records) {
    if (record.buildKey === undefined) continue;
    packages.push(await packageToPublish(store, record));
    append(extraBlobs, await rootArchives(run, record));
    const inputs = await keepInputs(store, run.plan, record.hash);
    if (inputs !== undefined) extraBlobs.push(inputs);
  }
  if (packages.length === 0) return;
  const options = { ...publishing.options, now: new Date(), extraBlobs };
  await publishing.inTurn(async () => {
    const isNew = await publishing.ready();
    await publishPackages(store, publishing.writer, packages, options);
    // A run that goes no further leaves a whole binhost all the same.
    if (isNew) await writeFirstViews(publishing);
  });
}

async function writeFirstViews({ writer, options: { name, ...rest } }: Publishing): Promise<void> {
  if ((await writer.stat(PAGE_PATH)) !== undefined) return;
  await settleViews(writer, { ...rest, identity: await ensureIdentity(writer, name) });
}

/** What another builder signed is passed on as it was signed, so that several builders' records of one HASH add up. */
async function packageToPublish(store: Store, record: PackageRecord): Promise<PackageToPublish> {
  const kept = await readKeptRecord(store, record.hash);
  const { origin } = kept ?? {};
  if (origin !== undefined && origin.verify === 'require') {
    const signed = { record: parsePublishedRecord(origin.text), text: origin.text, signature: origin.signature };
    const key = keyId(parseSshsig(origin.signature).publicKey);
    const isHere = (await goneOutput(store, signed.record)) === undefined;
    if (signed.record.hash === record.hash && isHere)
      return { kind: 'signed', signed: { ...signed, principal: undefined, person: undefined }, key };
  }
  const built = { ...record, buildKey: record.buildKey! };
  return { kind: 'own', record: await publishedRecord(store, built, (layer) => encodeLayer(store, layer, 'zstd')) };
}

/** The Debian packages of the root that a package was built in, as far as this machine still has them. */
async function rootArchives({ store, plan }: Run, { hash }: PackageRecord): Promise<readonly BlobReference[]> {
  const step = plan.stepsByHash.get(hash);
  const members = step?.kind === 'build' ? step.root : [];
  return storedArchives(
    store,
    members.flatMap((member) => plan.conversions.get(member)?.pin ?? []),
  );
}

async function storedArchives(store: Store, pins: readonly DebianPin[]): Promise<readonly BlobReference[]> {
  const references = await Promise.all(
    pins.map(async ({ sha256 }) => ({ digest: sha256, size: await blobSize(store, sha256) })),
  );
  return references.filter((blob): blob is BlobReference => blob.size !== undefined);
}

export interface ImagesOfRun {
  readonly oci: readonly OciImage[];
  readonly aci: readonly AciImage[];
}

/** Publishes a container: what it holds that is not there yet, its spec and its images. */
export async function publishImagesOfRun(
  run: Run,
  publishing: Publishing,
  { records, images }: { readonly records: Records; readonly images: ImagesOfRun },
): Promise<void> {
  const { store, definitions, plan, options } = run;
  const { container, repositories } = definitions;
  const { emit } = options.context;
  emit({ kind: 'container-uploading', place: publishing.place });
  try {
    const built = plan.steps.flatMap(({ hash }) => records.get(hash) ?? []);
    const read = options.witness.sightings().flatMap(({ path, seen }) => (seen === '' ? [] : [path]));
    const spec = await putBlob(store, containerSpec({ directory: container.directory, repositories, read }));
    await publishRecords(run, publishing, built);
    const archives = await storedArchives(
      store,
      [...plan.conversions.values()].map(({ pin }) => pin),
    );
    const blobs = [...(await imageBlobs(store, images)), ...archives];
    const names = requirePublishableNames(container);
    const document: ContainerDocument = {
      format: CONTAINER_FORMAT,
      kind: 'container',
      ...names,
      platform: platformText(container.platform),
      spec,
      oci: images.oci.map(publishedOci),
      aci: images.aci.map(({ digest, size, imageId, fileName }) => ({
        digest,
        size,
        imageId,
        path: aciPath(names, aciPlatform(fileName)),
      })),
      packages: built.map(({ hash, name, version }) => ({ hash, name, version })),
      time: new Date().toISOString(),
    };
    await publishing.inTurn(async () => {
      await publishing.ready();
      await publishContainer(store, publishing.writer, { document, blobs }, { ...publishing.options, now: new Date() });
    });
    emit({ kind: 'container-uploaded' });
  } catch (error) {
    emit({ kind: 'container-upload-failed' });
    throw error;
  }
}

function requirePublishableNames({ author, name, version }: Run['definitions']['container']) {
  const names = { author: author ?? null, name, version };
  const wrong = [author ?? 'x', name, version.replace(/[+~]/g, '')].find((part) => !isContainerName(part));
  if (wrong === undefined) return names;
  throw new BuilditError(
    'definition-invalid',
    `Cannot publish the container "${name}-${version}": expected an author, name and version that can be file names, found "${wrong}"`,
    { hint: 'letters, digits, ".", "_" and "-"' },
  );
}

/** `NAME-VERSION-OS-ARCH.aci` says it in appc's words. */
function aciPlatform(fileName: string): { readonly os: string; readonly arch: string } {
  const [os, arch] = fileName
    .replace(/\.aci$/, '')
    .split('-')
    .slice(-2) as [string, string];
  return { os, arch };
}

/** An image in the signed document: registries and paths of names given for engines stay out of it. */
function publishedOci({ name, manifest, tags }: OciImage) {
  const own = [...new Set(tags.map((tag) => parseImageName(tag, name).tag))];
  return { digest: manifest.digest, size: manifest.bytes.length, tags: own };
}

/** All blobs of the images; the small documents are put into the store for this. */
async function imageBlobs(store: Store, { oci, aci }: ImagesOfRun): Promise<readonly BlobReference[]> {
  const blobs: BlobReference[] = aci.map(({ digest, size }) => ({ digest, size }));
  for (const { manifest, config, layers } of oci) {
    blobs.push(await putBlob(store, manifest.bytes), await putBlob(store, config.bytes));
    append(
      blobs,
      layers.map(({ digest, size }) => ({ digest, size })),
    );
  }
  return blobs;
}
