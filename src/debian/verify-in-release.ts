import type { PublicKey } from 'openpgp';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

const BEGIN_MESSAGE = '-----BEGIN PGP SIGNED MESSAGE-----';
const BEGIN_SIGNATURE = '-----BEGIN PGP SIGNATURE-----';
const END_SIGNATURE = '-----END PGP SIGNATURE-----';

/**
 * Checks the signature of an `InRelease` file and returns the text that was signed; nothing else of the file may be
 * used. The file must be one signed block from its first byte to its last (RFC 9580 section 7). One good signature by
 * one of the keys is enough: the archive signs with the keys of several releases. `place` names the file in messages.
 */
export async function verifyInRelease(bytes: Uint8Array, keys: readonly PublicKey[], place: string): Promise<string> {
  const text = decodeText(bytes, place);
  requireOneBlock(text, place);
  const { readCleartextMessage, verify } = await import('openpgp');
  let verified: Awaited<ReturnType<typeof verify>>;
  try {
    const message = await readCleartextMessage({ cleartextMessage: text });
    verified = await verify({ message, verificationKeys: [...keys], format: 'utf8' });
  } catch (error) {
    throw refusal(place, 'a signed message', `a malformed one (${printable((error as Error).message)})`, error);
  }
  const reasons: string[] = [];
  for (const { keyID, verified: outcome } of verified.signatures) {
    const id = keyID.toHex().toUpperCase();
    const isKnown = keys.some((key) => key.getKeys(keyID).length > 0);
    try {
      if ((await outcome) && isKnown) return verified.data as string;
      reasons.push(`${id}: not valid`);
    } catch (error) {
      reasons.push(`${id}: ${isKnown ? printable((error as Error).message) : 'not a key of the keyring'}`);
    }
  }
  const found = reasons.length === 0 ? 'no signature' : reasons.join('; ');
  throw refusal(place, 'a valid signature by a key of the archive', found);
}

function decodeText(bytes: Uint8Array, place: string): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (text.includes('\0') || text.includes('\ufffd')) throw refusal(place, 'text in UTF-8', 'other bytes');
  return text;
}

/** What lies outside the signed block, or in a second one, is not covered by the signature: there may be nothing. */
function requireOneBlock(text: string, place: string): void {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const count = (line: string) => lines.filter((other) => other.trimEnd() === line).length;
  if (lines[0] !== BEGIN_MESSAGE) throw refusal(place, `"${BEGIN_MESSAGE}" as its first line`, 'something else');
  if (lines.at(-1) !== END_SIGNATURE) throw refusal(place, `"${END_SIGNATURE}" as its last line`, 'something else');
  if (count(BEGIN_MESSAGE) !== 1 || count(BEGIN_SIGNATURE) !== 1 || count(END_SIGNATURE) !== 1) {
    throw refusal(place, 'exactly one signed block', 'several');
  }
}

function refusal(place: string, expected: string, found: string, cause?: unknown): BuilditError {
  return new BuilditError('signature-invalid', `Cannot use "${place}": expected ${expected}, found ${found}`, {
    hint: 'the mirror may be manipulated, or the clock of this machine wrong; debian.mirror in the configuration names another',
    cause,
  });
}
