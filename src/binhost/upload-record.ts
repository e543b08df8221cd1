import { BuilditError } from '../model/errors.ts';
import type { LayerBlob } from '../model/layer.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { createAllowedSigner } from '../signing/create-allowed-signer.ts';
import { createTrust } from '../signing/create-trust.ts';
import { keyId, type PublicKey } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import { publishedRecordPath, signaturePath } from './binhost-paths.ts';
import { layersOf, type SignedRecord } from './find-package.ts';
import { decodeUtf8 } from './pointer.ts';
import {
  factsOf,
  MOST_RECORD_BYTES,
  MOST_SIGNATURE_BYTES,
  type PublishedRecord,
  parsePublishedRecord,
  publishedRecordText,
} from './published-record.ts';
import { FieldFault } from './strict-fields.ts';

/** What became of a record: `other` where this key signed another text for the HASH before, which stays. */
export type Upload = 'new' | 'there' | 'other';

/**
 * Puts a signed record to its place, written once. Where this key has signed the HASH before, that record stays: it must
 * be of the same layers, else the package is refused as not reproducible. What lies there unsigned is signed only where it
 * says nothing that this machine does not know itself, for anybody may have written it.
 */
export async function uploadRecord(writer: RemoteWriter, record: PublishedRecord, signer: Signer): Promise<Upload> {
  const path = publishedRecordPath(record.hash, keyId(signer.publicKey));
  const text = publishedRecordText(record);
  if (await writer.create(path, Buffer.from(text))) {
    const signature = await signer.sign('buildit-package', Buffer.from(text));
    if (await writer.create(signaturePath(path), Buffer.from(signature))) return 'new';
  }
  const found = await signedBefore(writer, path, record);
  const signature = await readSignature(writer, path);
  if (signature === undefined) {
    requireOwnBlobs(writer, path, { found: parsePublishedRecord(found), own: record });
    const made = await signer.sign('buildit-package', Buffer.from(found));
    if (await writer.create(signaturePath(path), Buffer.from(made))) return 'new';
  }
  const there = signature ?? (await readSignature(writer, path)) ?? '';
  if (!isSignedBy(signer.publicKey, found, there)) throw foreign(writer, path, 'a signature that is none of this key');
  return 'there';
}

/** Puts another builder's record as it was signed. */
export async function uploadSignedRecord(
  writer: RemoteWriter,
  { record, text, signature }: SignedRecord,
  key: string,
): Promise<Upload> {
  const path = publishedRecordPath(record.hash, key);
  const isNew = await writer.create(path, Buffer.from(text));
  if (!isNew) {
    const there = await writer.read(path, { maximumBytes: MOST_RECORD_BYTES });
    if (typeof there === 'string' || there.bytes.toString('utf8') !== text) return 'other';
  }
  const isSignatureNew = await writer.create(signaturePath(path), Buffer.from(signature));
  return isNew || isSignatureNew ? 'new' : 'there';
}

async function readSignature(writer: RemoteWriter, path: string): Promise<string | undefined> {
  const answer = await writer.read(signaturePath(path), { maximumBytes: MOST_SIGNATURE_BYTES });
  return typeof answer === 'string' ? undefined : answer.bytes.toString('utf8');
}

function isSignedBy(publicKey: PublicKey, text: string, signature: string): boolean {
  const trust = createTrust({
    allowedSigners: [createAllowedSigner(publicKey, 'self', ['buildit-package'])],
    revokedKeys: [],
  });
  const verdict = trust.judge(Buffer.from(text), signature, { namespace: 'buildit-package', at: new Date() });
  return verdict.kind === 'trusted';
}

/** Blobs and log of a record that this key is asked to sign after the fact. */
function requireOwnBlobs(
  writer: RemoteWriter,
  path: string,
  { found, own }: { readonly found: PublishedRecord; readonly own: PublishedRecord },
): void {
  const known = new Set(Object.values(own.outputs).flatMap(({ blobs }) => blobs.map(blobText)));
  const named = Object.values(found.outputs).flatMap(({ blobs }) => blobs.map(blobText));
  if (named.some((blob) => !known.has(blob))) throw foreign(writer, path, 'one that names other blobs, unsigned');
  if (found.log !== null && found.log.digest !== own.log?.digest) {
    throw foreign(writer, path, 'one that names another log, unsigned');
  }
}

function blobText({ encoder, mediaType, digest, size }: LayerBlob): string {
  return [encoder, mediaType, digest, size].join(' ');
}

/** The text that lies there, if it says what this record says but for when and how long it was built. */
async function signedBefore(writer: RemoteWriter, path: string, record: PublishedRecord): Promise<string> {
  const answer = await writer.read(path, { maximumBytes: MOST_RECORD_BYTES });
  if (typeof answer === 'string') throw foreign(writer, path, 'nothing that can be read');
  let text: string;
  let found: PublishedRecord;
  try {
    text = decodeUtf8(answer.bytes);
    found = parsePublishedRecord(text);
  } catch (error) {
    if (error instanceof FieldFault) throw foreign(writer, path, `a damaged one: ${error.message}`);
    throw error;
  }
  if (layersOf(found) !== layersOf(record)) {
    throw new BuilditError(
      'not-reproducible',
      `Cannot publish "${record.name}-${record.version}": expected the layers that this key signed before, found others`,
      {
        details: [`${writer.shown}/${path}`],
        hint: 'the build depends on something outside its HASH: build it again with --from-source and compare',
      },
    );
  }
  if (factsOf(found) !== factsOf(record)) throw foreign(writer, path, 'one that says something else');
  return text;
}

function foreign(writer: RemoteWriter, path: string, found: string): BuilditError {
  return new BuilditError(
    'signature-invalid',
    `Cannot publish to ${writer.shown}: expected this key's own record at "${path}", found ${found}`,
    { hint: 'somebody else wrote under the name of this key: remove the file there, and find out who' },
  );
}
