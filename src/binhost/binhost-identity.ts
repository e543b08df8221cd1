import { randomBytes } from 'node:crypto';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isRepositoryName } from '../model/names.ts';
import type { RemoteReader, RemoteWriter } from '../remote/remote-place.ts';
import { IDENTITY_PATH } from './binhost-paths.ts';
import { decodeUtf8 } from './pointer.ts';
import { isPublicUrl } from './public-url.ts';
import { canonicalText, digest, FieldFault, object, oneOf, readCanonical, text } from './strict-fields.ts';

/** Version of the layout below a binhost's directory (see binhost-paths.ts). */
export const BINHOST_FORMAT = 1;

/** What a place is: written once, when it is made. */
export interface BinhostIdentity {
  readonly format: typeof BINHOST_FORMAT;
  readonly id: Digest;
  readonly name: string;
  /** Where the world reads it, `https://host/path`: for the page's discovery tags alone. */
  readonly url?: string | undefined;
}

const required = { format: oneOf(BINHOST_FORMAT), id: digest, name: text('a name', isRepositoryName) };
const publicUrl = text('an address https://host/path', isPublicUrl);
const plain = object(required);
const withUrl = object({ ...required, url: publicUrl });

function identity(value: unknown, path: string): BinhostIdentity {
  return typeof value === 'object' && value !== null && 'url' in value ? withUrl(value, path) : plain(value, path);
}

/** The identity of a place; made where it has none yet. Of many at once all get the same. */
export async function ensureIdentity(
  writer: RemoteWriter,
  name: string,
  { url }: { readonly url?: string | undefined } = {},
): Promise<BinhostIdentity> {
  const known = await readIdentity(writer);
  if (known !== undefined) return known;
  const id = randomBytes(32).toString('hex');
  const made: BinhostIdentity = { format: BINHOST_FORMAT, id, name, ...(url === undefined ? {} : { url }) };
  if (await writer.create(IDENTITY_PATH, Buffer.from(canonicalText(made)))) return made;
  return (await readIdentity(writer))!;
}

export async function readIdentity(reader: RemoteReader): Promise<BinhostIdentity | undefined> {
  const answer = await reader.read(IDENTITY_PATH, { maximumBytes: 4096 });
  if (typeof answer === 'string') return undefined;
  try {
    return readCanonical(decodeUtf8(answer.bytes), identity);
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    throw new BuilditError(
      'input-invalid',
      `Cannot use ${reader.shown} as a binhost: expected "${IDENTITY_PATH}" of format ${BINHOST_FORMAT}, found another: ${error.message}`,
      { hint: 'a newer buildit may have written it; or name an empty directory' },
    );
  }
}
