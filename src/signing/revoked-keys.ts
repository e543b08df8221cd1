import type { BuilditError } from '../model/errors.ts';
import { isBlank, lineProblem } from './allowed-signers.ts';
import { isFingerprint } from './key-source.ts';
import { fingerprint } from './public-key.ts';
import { parsePublicKey } from './public-key-text.ts';
import { WireFault } from './wire-reader.ts';

/** A key that counts no longer. */
export interface RevokedKey {
  readonly fingerprint: string;
  readonly comment: string;
  /** Counts from 1. */
  readonly line: number;
}

export interface RevokedKeys {
  readonly keys: readonly RevokedKey[];
  /** One for each line that cannot be understood. */
  readonly problems: readonly BuilditError[];
}

/** Reads the plain form of ssh's RevokedKeys, one public key a line, or its `SHA256:…` fingerprint in place of the key. */
export function parseRevokedKeys(text: string, file: string): RevokedKeys {
  const keys: RevokedKey[] = [];
  const problems: BuilditError[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    if (isBlank(raw)) continue;
    try {
      keys.push({ ...parseRevoked(raw.trim()), line: index + 1 });
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      problems.push(lineProblem(error, { file, line: index + 1, text: raw }));
    }
  }
  return { keys, problems };
}

function parseRevoked(text: string): Omit<RevokedKey, 'line'> {
  const [, word = '', comment = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  if (isFingerprint(word)) return { fingerprint: word, comment: comment.replace(/^#\s*/, '') };
  const named = parsePublicKey(text);
  return { fingerprint: fingerprint(named.publicKey), comment: named.comment };
}
