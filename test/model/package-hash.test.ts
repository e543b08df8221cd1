import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import { hashAsUuid, hashMatches } from '../../src/model/package-hash.ts';

describe('a HASH', () => {
  const hash = sha256('anything');

  test('is shown as a UUID of version 8', () => {
    expect(hashAsUuid(hash)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(hashAsUuid('f'.repeat(64))).toBe('ffffffff-ffff-8fff-bfff-ffffffffffff');
  });

  test('is accepted as a prefix of eight digits or more, in either form', () => {
    for (const typed of [
      hash,
      hash.slice(0, 8),
      hashAsUuid(hash),
      hashAsUuid(hash).slice(0, 18),
      hashAsUuid(hash).toUpperCase(),
    ]) {
      expect(hashMatches(hash, typed)).toBe(true);
    }
    for (const typed of [hash.slice(0, 7), '', sha256('another'), 'not a hash', `${hash}0`])
      expect(hashMatches(hash, typed)).toBe(false);
  });
});
