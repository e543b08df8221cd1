import { type Digest, isDigest } from '../model/digest.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { decodeUtf8 } from './pointer.ts';
import { anyText, canonicalText, FieldFault, object, oneOf, readCanonical } from './strict-fields.ts';

export const PINS_DIRECTORY = 'pins';

/** What garbage collection and `binhost rm` leave alone. */
export interface Pin {
  /** A package's HASH, or the digest of a container's document: the name of the file in `pins/`. */
  readonly digest: Digest;
  readonly kind: 'package' | 'container';
  /** For people: `www-servers/nginx-1.22.1`, `Sysadmin42/nginx-production-1.7.6-p1`. */
  readonly title: string;
}

const MOST_PIN_BYTES = 4096;
const pin = object({ format: oneOf(1), kind: oneOf('package', 'container'), title: anyText(1000) });

/** A pin that cannot be understood keeps whatever has its digest. */
export async function readPins(writer: RemoteWriter): Promise<readonly Pin[]> {
  const names = (await writer.list(PINS_DIRECTORY)).filter(({ kind, name }) => kind === 'file' && isDigest(name));
  return Promise.all(names.map(({ name }) => readPin(writer, name)));
}

async function readPin(writer: RemoteWriter, digest: Digest): Promise<Pin> {
  const answer = await writer.read(pinPath(digest), { maximumBytes: MOST_PIN_BYTES });
  try {
    if (typeof answer === 'string') throw new FieldFault('expected a pin');
    const { kind, title } = readCanonical(decodeUtf8(answer.bytes), pin);
    return { digest, kind, title };
  } catch (error) {
    if (!(error instanceof FieldFault)) throw error;
    return { digest, kind: 'container', title: 'unknown' };
  }
}

export async function writePin(writer: RemoteWriter, { digest, kind, title }: Pin): Promise<void> {
  await writer.replace(pinPath(digest), Buffer.from(canonicalText({ format: 1, kind, title })));
}

export async function removePin(writer: RemoteWriter, digest: Digest): Promise<void> {
  await writer.remove(pinPath(digest));
}

function pinPath(digest: Digest): string {
  return `${PINS_DIRECTORY}/${digest}`;
}
