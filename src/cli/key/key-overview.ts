import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { AllowedSigner } from '../../signing/allowed-signers.ts';
import { type FoundKey, findPublicKey } from '../../signing/find-public-key.ts';
import { fingerprint } from '../../signing/public-key.ts';
import { readTrust } from '../../signing/read-trust.ts';
import type { SigningPaths } from '../../signing/signing-paths.ts';
import type { Environment } from '../../system/user-directories.ts';
import { textTable } from '../text-table.ts';

/** What `buildit key list` shows, as `--json` prints it. */
export interface KeyOverview {
  readonly signingKey: ShownKey | undefined;
  readonly machineKey: ShownKey | undefined;
  readonly allowedSigners: string;
  readonly trusted: readonly ShownSigner[];
  readonly revokedKeys: string;
  readonly revoked: readonly { readonly fingerprint: string; readonly comment: string; readonly line: number }[];
  readonly problems: readonly string[];
}

interface ShownKey {
  readonly place: string;
  readonly type: string;
  readonly fingerprint: string;
  readonly comment: string;
}

interface ShownSigner {
  readonly principals: readonly string[];
  readonly type: string;
  readonly fingerprint: string;
  readonly namespaces: readonly string[] | undefined;
  readonly validAfter: string | undefined;
  readonly validBefore: string | undefined;
  readonly state: 'trusted' | 'revoked' | 'expired' | 'not-yet-valid';
  readonly line: number;
}

export async function readKeyOverview(
  paths: SigningPaths,
  {
    key,
    environment,
    now,
  }: { readonly key: string | undefined; readonly environment: Environment; readonly now: Date },
): Promise<KeyOverview> {
  const problems: string[] = [];
  const find = (place: string | undefined) =>
    findPublicKey(place, { environment }).catch((error) => {
      if (!(error instanceof BuilditError)) throw error;
      problems.push(error.message);
      return undefined;
    });
  const [signingKey, machineKey, reading] = await Promise.all([find(key), find(paths.machineKey), readTrust(paths)]);
  const revoked = new Set(reading.revokedKeys.map((revokedKey) => revokedKey.fingerprint));
  return {
    signingKey: shownKey(signingKey),
    machineKey: shownKey(machineKey),
    allowedSigners: paths.allowedSigners,
    trusted: reading.allowedSigners.map((signer) => shownSigner(signer, revoked, now)),
    revokedKeys: paths.revokedKeys,
    revoked: reading.revokedKeys,
    problems: [...problems, ...reading.problems.map(({ message }) => message)],
  };
}

function shownKey(key: FoundKey | undefined): ShownKey | undefined {
  if (key === undefined) return undefined;
  const { place, comment, publicKey } = key;
  return { place, type: publicKey.type, fingerprint: fingerprint(publicKey), comment };
}

function shownSigner(signer: AllowedSigner, revoked: ReadonlySet<string>, now: Date): ShownSigner {
  const { principals, publicKey, namespaces, validAfter, validBefore, line } = signer;
  const print = fingerprint(publicKey);
  const state = revoked.has(print)
    ? 'revoked'
    : validAfter !== undefined && now < validAfter
      ? 'not-yet-valid'
      : validBefore !== undefined && now > validBefore
        ? 'expired'
        : 'trusted';
  return {
    principals,
    type: publicKey.type,
    fingerprint: print,
    namespaces,
    validAfter: validAfter?.toISOString(),
    validBefore: validBefore?.toISOString(),
    state,
    line,
  };
}

/** The same as lines for a person. */
export function keyOverviewLines(overview: KeyOverview): readonly string[] {
  return [
    ...ownKeys(overview),
    '',
    ...trustedSigners(overview),
    ...(overview.revoked.length === 0
      ? []
      : [
          '',
          `Revoked in ${printable(overview.revokedKeys)}`,
          ...textTable(
            [{ title: 'KEY' }, { title: 'COMMENT' }],
            overview.revoked.map((key) => [key.fingerprint, printable(key.comment)]),
          ),
        ]),
  ];
}

function ownKeys({ signingKey, machineKey }: KeyOverview): readonly string[] {
  const row = (use: string, key: ShownKey | undefined, otherwise: string) =>
    key === undefined ? [use, '(none)', otherwise] : [use, key.fingerprint, printable(key.place)];
  return textTable(
    [{ title: 'OWN KEY' }, { title: 'FINGERPRINT' }, { title: 'WHERE' }],
    [
      row('signing', signingKey, 'buildit key new makes one'),
      row('machine', machineKey, 'made with the first build that is kept'),
    ],
  );
}

function trustedSigners({ trusted, allowedSigners }: KeyOverview): readonly string[] {
  if (trusted.length === 0) return [`Nobody is trusted: ${printable(allowedSigners)} names no key`];
  return [
    `Trusted by ${printable(allowedSigners)}`,
    ...textTable(
      [{ title: 'PRINCIPAL' }, { title: 'KEY' }, { title: 'FOR' }, { title: 'STATE' }],
      trusted.map((signer) => [
        printable(signer.principals.join(',')),
        signer.fingerprint,
        printable(signer.namespaces?.join(',') ?? 'everything'),
        stateText(signer),
      ]),
    ),
  ];
}

function stateText({ state, validAfter, validBefore }: ShownSigner): string {
  switch (state) {
    case 'revoked':
      return 'revoked';
    case 'expired':
      return `expired ${minute(validBefore)}`;
    case 'not-yet-valid':
      return `from ${minute(validAfter)}`;
    case 'trusted':
      return validBefore === undefined ? 'trusted' : `until ${minute(validBefore)}`;
  }
}

function minute(time: string | undefined): string {
  return `${time?.slice(0, 16).replace('T', ' ')} UTC`;
}
