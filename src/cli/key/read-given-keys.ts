import { resolve } from 'node:path';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import { parseAllowedSigners } from '../../signing/allowed-signers.ts';
import { createAllowedSigner } from '../../signing/create-allowed-signer.ts';
import { isPrincipal } from '../../signing/is-principal.ts';
import { parsePublicKey } from '../../signing/public-key-text.ts';
import { readSmallFile } from '../../signing/read-small-file.ts';
import type { NewSigner } from '../../signing/trust-key.ts';
import { WireFault } from '../../signing/wire-reader.ts';

export { isPrincipal };

/** Namespaces that a key is trusted for where nothing else is said. */
export const USUAL_NAMESPACES: readonly string[] = ['buildit-package', 'buildit-index'];

/** What flags say of a key; it stands above what the key's own text says. */
export interface TrustTerms {
  readonly principal: string | undefined;
  readonly namespaces: readonly string[] | undefined;
  readonly validBefore: Date | undefined;
}

const MAXIMUM_BYTES = 256 * 1024;

/**
 * The keys that a user names: the words of a public key, `-` for standard input, or a file, with .pub lines or lines of
 * allowed_signers such as `buildit key export` prints.
 */
export async function readGivenKeys(
  words: readonly string[],
  { cwd, terms }: { readonly cwd: string; readonly terms: TrustTerms },
): Promise<readonly NewSigner[]> {
  const name = words.join(' ');
  const text = await givenText(words, cwd);
  if (/PRIVATE KEY-----/.test(text)) throw unusable(name, 'a public key, found a private one', `give its public half`);
  const lines = text.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line));
  if (lines.length === 0) throw unusable(name, 'a public key, found none');
  return lines.map((line) => givenSigner(line, name, terms));
}

async function givenText(words: readonly string[], cwd: string): Promise<string> {
  const [first = ''] = words;
  if (/^(?:ssh-|ecdsa-|sk-)/.test(first) && (words.length > 1 || first.includes(' '))) return words.join(' ');
  if (words.length > 1) throw unusable(words.join(' '), 'one file or one key, found several words');
  if (first === '-') return readStandardInput();
  const file = await readSmallFile(resolve(cwd, first), MAXIMUM_BYTES);
  if (file !== undefined) return file.text;
  throw new BuilditError(
    'file-missing',
    `Cannot trust "${printable(first)}": expected a public key or a file with one, found neither`,
  );
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    length += chunk.length;
    if (length > MAXIMUM_BYTES) throw unusable('-', `at most ${MAXIMUM_BYTES} bytes, found more`);
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('utf8');
}

function givenSigner(line: string, name: string, terms: TrustTerms): NewSigner {
  const signer = bareKey(line) ?? signerOf(line, name);
  const principals = terms.principal === undefined ? signer.principals : [terms.principal];
  const [bad] = principals.filter((principal) => !isPrincipal(principal));
  if (principals.length === 0 || bad !== undefined) {
    throw unusable(
      name,
      `the name of its owner, found ${bad === undefined ? 'none' : `"${printable(bad)}"`}`,
      'say whose it is, such as --principal alice@example.org',
    );
  }
  return {
    ...signer,
    principals,
    namespaces: terms.namespaces ?? signer.namespaces ?? USUAL_NAMESPACES,
    validBefore: terms.validBefore ?? signer.validBefore,
  };
}

/** A line of a .pub file; its comment is the name of its owner where it can be one. */
function bareKey(line: string): NewSigner | undefined {
  try {
    const { publicKey, comment } = parsePublicKey(line);
    const signer = createAllowedSigner(publicKey, comment, undefined);
    return isPrincipal(comment) ? signer : { ...signer, principals: [], comment };
  } catch (error) {
    if (error instanceof WireFault) return undefined;
    throw error;
  }
}

function signerOf(line: string, name: string): NewSigner {
  const { signers, problems } = parseAllowedSigners(line, name);
  const [signer] = signers;
  if (signer !== undefined) return signer;
  throw unusable(name, 'a public key such as "ssh-ed25519 AAAA…"', undefined, problems[0]?.cause);
}

function unusable(name: string, expectation: string, hint?: string, cause?: unknown): BuilditError {
  const found = cause instanceof WireFault ? ` (${printable(cause.message)})` : '';
  const shown = printable(name.slice(0, 100));
  return new BuilditError('input-invalid', `Cannot trust "${shown}": expected ${expectation}${found}`, { hint, cause });
}
