import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { RemoteReader } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import type { Verdict } from '../signing/trust.ts';
import { publishedBlobPath } from './binhost-paths.ts';
import { type ContainerDocument, parseContainerLine } from './container-document.ts';
import type { ContainerEntry } from './container-entry.ts';
import { splitPointer } from './pointer.ts';
import type { TrustPolicy } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

/** Above any container document: 100,000 packages. */
const MOST_DOCUMENT_BYTES = 32 * 2 ** 20;

export type ContainerReading =
  /** The document that the entry names, and what its signature is worth here; nobody is asked where `verify` is `off`. */
  | { readonly kind: 'document'; readonly document: ContainerDocument; readonly verdict: Verdict | undefined }
  | { readonly kind: 'missing' }
  /** One clause: what is wrong with the bytes there, whoever signed them. */
  | { readonly kind: 'damaged'; readonly reason: string };

export interface ContainerSource {
  readonly reader: RemoteReader;
  readonly policy: TrustPolicy;
}

/** Reads the document of a container, by its digest and in agreement with the index; who signed it is told, not judged. */
export async function readContainer(
  { reader, policy }: ContainerSource,
  entry: ContainerEntry,
  signal?: AbortSignal,
): Promise<ContainerReading> {
  const { digest, size } = entry.document;
  if (size > MOST_DOCUMENT_BYTES) return { kind: 'damaged', reason: `it is said to have ${size} bytes` };
  let bytes: Buffer;
  try {
    const answer = await reader.read(publishedBlobPath(digest), { maximumBytes: size, signal });
    if (typeof answer === 'string') return { kind: 'missing' };
    bytes = answer.bytes;
  } catch (error) {
    if (!(error instanceof BuilditError) || error.code !== 'input-invalid') throw error;
    return { kind: 'damaged', reason: 'it is longer than the index says' };
  }
  if (sha256(bytes) !== digest) return { kind: 'damaged', reason: 'it is not what its digest says' };
  try {
    const { line, signature } = splitPointer(bytes);
    const document = parseContainerLine(line);
    if (!agrees(document, entry)) return { kind: 'damaged', reason: 'it is of another container than the index says' };
    const { verify, trust, now, principals } = policy;
    const options = { namespace: 'buildit-package', at: now, principals } as const;
    const verdict = verify === 'off' ? undefined : trust.judge(Buffer.from(line), signature, options);
    if (verdict !== undefined && verdict.kind !== 'invalid' && keyId(verdict.key) !== entry.key)
      return { kind: 'damaged', reason: 'it is signed by another key than the index says' };
    return { kind: 'document', document, verdict };
  } catch (error) {
    if (error instanceof FieldFault) return { kind: 'damaged', reason: error.message };
    throw error;
  }
}

function agrees(document: ContainerDocument, entry: ContainerEntry): boolean {
  const images = (list: readonly { readonly digest: string; readonly size: number }[]) =>
    list.map(({ digest, size }) => `${digest} ${size}`).join('\n');
  return (
    (['author', 'name', 'version', 'platform', 'time'] as const).every((key) => document[key] === entry[key]) &&
    images(document.oci) === images(entry.images)
  );
}

/** What a document says, whoever signed it: for keeping what it names. Throws `FieldFault` for what is none. */
export async function readDocumentAt(reader: RemoteReader, digest: Digest): Promise<ContainerDocument> {
  const answer = await reader.read(publishedBlobPath(digest), { maximumBytes: MOST_DOCUMENT_BYTES });
  if (typeof answer === 'string') throw new FieldFault('expected the file');
  if (sha256(answer.bytes) !== digest) throw new FieldFault('expected the bytes of its digest');
  return parseContainerLine(splitPointer(answer.bytes).line);
}

/** The document if it counts under the place's policy, else one clause why not. `onDoubt` hears what was let pass. */
export async function trustedContainer(
  source: ContainerSource & { readonly onDoubt: (text: string) => void },
  entry: ContainerEntry,
  signal?: AbortSignal,
): Promise<ContainerDocument | string> {
  const shown = `${source.reader.shown}/${publishedBlobPath(entry.document.digest)}`;
  const reading = await readContainer(source, entry, signal);
  if (reading.kind === 'missing') return `${shown} is not there`;
  if (reading.kind === 'damaged') return `${shown} is damaged: ${reading.reason}`;
  const { document, verdict } = reading;
  if (verdict === undefined || verdict.kind === 'trusted') return document;
  if (source.policy.verify === 'require' || verdict.kind === 'invalid') return `${shown}: ${verdict.reason}`;
  source.onDoubt(`${shown}: ${verdict.reason}`);
  return document;
}
