import { canonicalObject } from '../model/canonical-json.ts';
import { sha256 } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import type { HashInputs } from './package-inputs.ts';

/** Gives packages their HASHes, dependencies first: the digest of the canonical JSON of their inputs. */
export interface PackageHasher {
  /** By the packages' numbers, as far as they are known. */
  readonly hashes: readonly Hash[];
  /**
   * The HASH of the package of this number. `root` is the text of what the inputs have under that name: HASHes of Debian
   * packages, then those of packages by their numbers.
   */
  hash(
    number: number,
    inputs: HashInputs,
    root: { readonly debian: readonly Hash[]; readonly packages: Int32Array },
  ): Hash;
}

/** `"HASH",` */
const MEMBER_BYTES = 64 + 3;
/** Canonical JSON escapes control characters: this one is nowhere else in it. */
const PLACE_OF_ROOT = '\0';

/**
 * The roots of ten thousand packages may have millions of members. Each member's text is written once, to the beginning of
 * one piece of memory, and copied from there to its end, where the JSON of one package after the other is put together:
 * joining strings takes four times as long.
 */
export function createPackageHasher(count: number): PackageHasher {
  const hashes: Hash[] = [];
  const textStart = count * MEMBER_BYTES;
  let bytes = Buffer.alloc(2 * textStart + (1 << 16));
  let end = textStart;
  const texts = new WeakMap<readonly Hash[], Buffer>();

  function makeRoom(more: number): void {
    if (end + more <= bytes.length) return;
    const larger = Buffer.alloc(2 * (end + more));
    larger.set(bytes.subarray(0, end));
    bytes = larger;
  }

  function add(text: string): void {
    makeRoom(3 * text.length);
    end += bytes.write(text, end);
  }

  function textOf(members: readonly Hash[]): Buffer {
    const known = texts.get(members) ?? Buffer.from(members.map(memberText).join(''), 'latin1');
    texts.set(members, known);
    return known;
  }

  function addBytes(text: Buffer): void {
    makeRoom(text.length);
    bytes.set(text, end);
    end += text.length;
  }

  function addMembers(packages: Int32Array): void {
    makeRoom(packages.length * MEMBER_BYTES);
    for (let index = 0; index < packages.length; index += 1) {
      const start = packages[index]! * MEMBER_BYTES;
      bytes.copyWithin(end, start, start + MEMBER_BYTES);
      end += MEMBER_BYTES;
    }
  }

  return {
    hashes,
    hash(number, inputs, { debian, packages }) {
      const [before, after] = canonicalObject(inputs, { root: PLACE_OF_ROOT }).split(PLACE_OF_ROOT) as [string, string];
      end = textStart;
      add(`${before}[`);
      addBytes(textOf(debian));
      addMembers(packages);
      if (debian.length + packages.length > 0) end -= 1;
      add(`]${after}`);
      const hash = sha256(bytes.subarray(textStart, end));
      hashes[number] = hash;
      bytes.write(memberText(hash), number * MEMBER_BYTES);
      return hash;
    },
  };
}

function memberText(hash: Hash): string {
  return `"${hash}",`;
}
