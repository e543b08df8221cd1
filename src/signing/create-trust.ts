import { printable } from '../model/names.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import type { AllowedSigner } from './allowed-signers.ts';
import { matchesPattern, matchesPatternList } from './match-pattern.ts';
import { peopleByKey } from './people-by-key.ts';
import { fingerprint, keyId } from './public-key.ts';
import type { RevokedKey } from './revoked-keys.ts';
import { parseSshsig, type Sshsig, verifySshsig } from './sshsig.ts';
import type { JudgeOptions, Trust, Verdict } from './trust.ts';
import { WireFault } from './wire-reader.ts';

export interface TrustedKeys {
  readonly allowedSigners: readonly AllowedSigner[];
  readonly revokedKeys: readonly Pick<RevokedKey, 'fingerprint'>[];
}

/** Judges by these keys: a signature counts when it is whole and one line says yes to all that is asked. */
export function createTrust({ allowedSigners, revokedKeys }: TrustedKeys): Trust {
  const revoked = new Set(revokedKeys.map((key) => keyIdOf(key.fingerprint)));
  const signersByKey = groupByKey(allowedSigners);
  const people = peopleByKey(allowedSigners);
  const judgeSigners = (signers: readonly AllowedSigner[], signature: JudgedSignature, options: JudgeOptions) =>
    bestVerdict(signers.map((signer) => judgeSigner(signer, signature, { ...options, people })));
  return {
    knows: (id) => signersByKey.has(id) && !revoked.has(id),
    judgeKey(id, options) {
      const signers = signersByKey.get(id);
      const [first] = signers ?? [];
      if (revoked.has(id))
        return { kind: 'revoked', reason: `signed with a revoked key: ${nameOf(first, shownKey(id))}` };
      if (first === undefined) return { kind: 'stranger', reason: `signed by a stranger (${shownKey(id)})` };
      return judgeSigners(signers!, { publicKey: first.publicKey, namespace: options.namespace }, options);
    },
    judge(message, armored, options) {
      const read = readWhole(message, armored);
      if (typeof read === 'string') return { kind: 'invalid', reason: read };
      const key = read.publicKey;
      const signers = signersByKey.get(keyId(key));
      if (revoked.has(keyId(key)))
        return { kind: 'revoked', key, reason: `signed with a revoked key: ${nameOf(signers?.[0], fingerprint(key))}` };
      if (signers === undefined) return { kind: 'stranger', key, reason: `signed by a stranger (${fingerprint(key)})` };
      return judgeSigners(signers, read, options);
    },
  };
}

function groupByKey(signers: readonly AllowedSigner[]): ReadonlyMap<string, readonly AllowedSigner[]> {
  const groups = new Map<string, AllowedSigner[]>();
  for (const signer of signers) {
    const id = keyId(signer.publicKey);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [signer]);
    else group.push(signer);
  }
  return groups;
}

function shownKey(id: string): string {
  return `SHA256:${withoutTrailing(Buffer.from(id, 'hex').toString('base64'), '=')}`;
}

/** The digest of a fingerprint as `keyId` writes it. */
function keyIdOf(print: string): string {
  return Buffer.from(print.replace('SHA256:', ''), 'base64').toString('hex');
}

/** A signature that is one of its own key over this message, or the clause that says why it is none. */
function readWhole(message: Uint8Array, armored: string): Sshsig | string {
  try {
    const sshsig = parseSshsig(armored);
    return verifySshsig(sshsig, message) ? sshsig : 'the signature is damaged, or one of other bytes';
  } catch (error) {
    if (error instanceof WireFault) return `not a signature that counts: ${error.message}`;
    return 'the signature cannot be checked';
  }
}

type SignerVerdict = Exclude<Verdict, { readonly kind: 'invalid' }>;

/** From what is furthest from counting to what counts. */
const ORDER: readonly SignerVerdict['kind'][] = ['stranger', 'other-namespace', 'expired', 'not-yet-valid', 'trusted'];

/** Of several lines for one key the one that counts decides, and of those the one that counts longest. */
function bestVerdict(verdicts: readonly SignerVerdict[]): SignerVerdict {
  return verdicts.reduce((best, next) => {
    if (best.kind === 'trusted' && next.kind === 'trusted') return endOf(next) > endOf(best) ? next : best;
    return ORDER.indexOf(next.kind) > ORDER.indexOf(best.kind) ? next : best;
  });
}

function endOf({ validUntil }: Extract<Verdict, { kind: 'trusted' }>): number {
  return validUntil?.getTime() ?? Number.POSITIVE_INFINITY;
}

type JudgedSignature = Pick<Sshsig, 'publicKey' | 'namespace'>;

function judgeSigner(
  signer: AllowedSigner,
  { publicKey: key, namespace }: JudgedSignature,
  options: JudgeOptions & { readonly people: ReadonlyMap<string, string> },
): SignerVerdict {
  const who = `signed by ${nameOf(signer, fingerprint(key))}`;
  const { namespace: wanted, at } = options;
  if (!isWanted(signer, options.principals))
    return { kind: 'stranger', key, reason: `${who}, who is none of the signers that count here` };
  if (namespace !== wanted)
    return { kind: 'other-namespace', key, reason: `${who} for ${namespace}, not for ${wanted}` };
  if (signer.namespaces !== undefined && !matchesPatternList(wanted, signer.namespaces))
    return { kind: 'other-namespace', key, reason: `${who}, who is not trusted for ${wanted}` };
  if (signer.validAfter !== undefined && at < signer.validAfter)
    return { kind: 'not-yet-valid', key, reason: `${who}, whose key counts only from ${timeText(signer.validAfter)}` };
  if (signer.validBefore !== undefined && at > signer.validBefore)
    return { kind: 'expired', key, reason: `${who}, whose key counted only until ${timeText(signer.validBefore)}` };
  const principal = principalOf(signer);
  return { kind: 'trusted', key, principal, person: options.people.get(keyId(key))!, validUntil: signer.validBefore };
}

/**
 * Whether the owner of a key is surely one of those that are wanted. A wanted name is held against the line's patterns,
 * as ssh-keygen does; a wanted pattern must cover one of the line's own.
 */
function isWanted({ principals }: AllowedSigner, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined) return true;
  const fits = (pattern: string) =>
    /[*?]/.test(pattern)
      ? principals.some((principal) => !principal.startsWith('!') && covers(pattern, principal))
      : matchesPatternList(pattern, principals);
  const refused = wanted.some((pattern) => pattern.startsWith('!') && fits(pattern.slice(1)));
  return !refused && wanted.some((pattern) => !pattern.startsWith('!') && fits(pattern));
}

/** Whether all that the narrow pattern matches is matched by the wide one. A `?` covers no `*`; both at once are refused. */
function covers(wide: string, narrow: string): boolean {
  return !(wide.includes('?') && narrow.includes('*')) && matchesPattern(narrow, wide);
}

function principalOf({ principals }: AllowedSigner): string {
  return principals.find((principal) => !principal.startsWith('!'))!;
}

function nameOf(signer: AllowedSigner | undefined, print: string): string {
  return signer === undefined ? print : `${printable(principalOf(signer))} (${print})`;
}

function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
