import { BuilditError } from '../model/errors.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import type { Signer } from '../signing/signer.ts';
import { publishedRecordPath, signaturePath } from './binhost-paths.ts';
import { layersOf, type SignedRecord } from './find-package.ts';
import { decodeUtf8 } from './pointer.ts';
import {
  MOST_RECORD_BYTES,
  type PublishedRecord,
  parsePublishedRecord,
  publishedRecordText,
} from './published-record.ts';
import { FieldFault } from './strict-fields.ts';

/**
 * Puts a signed record to its place, written once. Where this key has signed the HASH before, that record stays: it must
 * be of the same layers, else the package is refused as not reproducible. Answers whether it is new there.
 */
export async function uploadRecord(writer: RemoteWriter, record: PublishedRecord, signer: Signer): Promise<boolean> {
  const path = publishedRecordPath(record.hash, keyId(signer.publicKey));
  const text = publishedRecordText(record);
  const isNew = await writer.create(path, Buffer.from(text));
  const signed = isNew ? text : await signedBefore(writer, path, record);
  if (!isNew && (await writer.stat(signaturePath(path))) !== undefined) return false;
  await writer.create(signaturePath(path), Buffer.from(await signer.sign('buildit-package', Buffer.from(signed))));
  return true;
}

/** Puts another builder's record as it was signed. */
export async function uploadSignedRecord(
  writer: RemoteWriter,
  { record, text, signature }: SignedRecord,
  key: string,
): Promise<boolean> {
  const path = publishedRecordPath(record.hash, key);
  const isNew = await writer.create(path, Buffer.from(text));
  const isSignatureNew = await writer.create(signaturePath(path), Buffer.from(signature));
  return isNew || isSignatureNew;
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

function factsOf(record: PublishedRecord): string {
  const outputs = Object.entries(record.outputs).map(([name, output]) => [name, { ...output, blobs: [] }]);
  const same = { startedAt: '', finishedAt: '', builder: '', log: null, outputs: Object.fromEntries(outputs) };
  return publishedRecordText({ ...record, ...same });
}

function foreign(writer: RemoteWriter, path: string, found: string): BuilditError {
  return new BuilditError(
    'signature-invalid',
    `Cannot publish to ${writer.shown}: expected this key's own record at "${path}", found ${found}`,
    { hint: 'somebody else wrote under the name of this key: remove the file there, and find out who' },
  );
}
