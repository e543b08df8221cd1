import type { PublicKey, Signature } from 'openpgp';
import { clockHint } from '../model/clock-hint.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { isoDate } from './release.ts';

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
  let isAboutTime = false;
  for (const { keyID, verified: outcome, signature } of verified.signatures) {
    const id = keyID.toHex().toUpperCase();
    const isKnown = keys.some((key) => key.getKeys(keyID).length > 0);
    try {
      if ((await outcome) && isKnown) return verified.data as string;
      reasons.push(`${id}: not valid`);
    } catch (error) {
      const time = isKnown ? await timeFault(signature, error as Error) : undefined;
      isAboutTime ||= time !== undefined;
      reasons.push(`${id}: ${isKnown ? (time ?? printable((error as Error).message)) : 'not a key of the keyring'}`);
    }
  }
  const found = reasons.length === 0 ? 'no signature' : reasons.join('; ');
  const hint = isAboutTime ? clockHint(Date.now()) : undefined;
  throw refusal(place, 'a valid signature by a key of the archive', found, undefined, hint);
}

/** What the clock has to do with it; undefined for a signature that is wrong at any time. */
async function timeFault(signature: Promise<Signature>, error: Error): Promise<string | undefined> {
  const [packet] = (await signature).packets;
  const created = packet?.created?.getTime();
  if (created !== undefined && created > Date.now()) return `signed at ${isoDate(created)}, which is yet to come`;
  if (!/expired|in the future|not valid at/i.test(error.message)) return undefined;
  return created === undefined
    ? printable(error.message)
    : `${printable(error.message)} (signed at ${isoDate(created)})`;
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
  if (text.trim() === '') throw refusal(place, `"${BEGIN_MESSAGE}" as its first line`, 'an empty file');
  if (lines[0] !== BEGIN_MESSAGE) throw refusal(place, `"${BEGIN_MESSAGE}" as its first line`, 'something else');
  if (lines.at(-1) !== END_SIGNATURE) throw refusal(place, `"${END_SIGNATURE}" as its last line`, 'something else');
  if (count(BEGIN_MESSAGE) !== 1 || count(BEGIN_SIGNATURE) !== 1 || count(END_SIGNATURE) !== 1) {
    throw refusal(place, 'exactly one signed block', 'several');
  }
  const signature = lines.slice(lines.findIndex((line) => line.trimEnd() === BEGIN_SIGNATURE)).join('\n').length;
  if (signature > MOST_SIGNATURE_CHARACTERS) {
    throw refusal(place, `signatures of at most ${MOST_SIGNATURE_CHARACTERS} characters`, `${signature}`);
  }
}

/** Debian's have some 3000. The reader of OpenPGP takes seconds for a megabyte of headers or of packets. */
const MOST_SIGNATURE_CHARACTERS = 64 * 1024;

function refusal(place: string, expected: string, found: string, cause?: unknown, hint = HINT): BuilditError {
  return new BuilditError('signature-invalid', `Cannot use "${place}": expected ${expected}, found ${found}`, {
    hint,
    cause,
  });
}

const HINT = 'the mirror may be manipulated; debian.mirror in the configuration names another';
