import { mayCount } from '../binhost/read-pointer.ts';
import type { PackageRecord } from '../model/record.ts';
import type { Signer } from '../signing/signer.ts';
import type { Trust } from '../signing/trust.ts';
import { type KeptRecord, type RecordOrigin, recordText, writeRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** Who vouches for the records of this machine's store, and who is believed besides. */
export interface LocalSeal {
  /** Signs what is kept here: the key of this user on this machine. */
  readonly signer: () => Promise<Signer>;
  /** Believes that key alone. */
  readonly machine: () => Promise<Trust>;
  /** Whom the user believes: asked again each time for what came from a binhost. */
  readonly trust: Trust;
  /** Told until when a signature that was relied on counts. */
  readonly onExpiry?: ((at: Date) => void) | undefined;
}

/** Keeps a record, signed by this machine. */
export async function keepSealed(
  store: Store,
  record: PackageRecord,
  seal: LocalSeal,
  origin?: RecordOrigin | undefined,
): Promise<void> {
  const signature = await (await seal.signer()).sign('buildit-package', Buffer.from(recordText(record)));
  await writeRecord(store, record, { seal: signature, origin });
  // What was relied on now is relied on until then.
  await sealFault({ record, seal: signature, origin }, seal);
}

/** One clause: why a kept record does not count. Undefined for one that does. */
export async function sealFault(kept: KeptRecord, seal: LocalSeal): Promise<string | undefined> {
  const at = new Date();
  const ask = (trust: Trust, text: string, signature: string) =>
    trust.judge(Buffer.from(text), signature, { namespace: 'buildit-package', at });
  if (kept.seal === undefined) return 'its record in the store is not signed';
  const own = ask(await seal.machine(), recordText(kept.record), kept.seal);
  if (own.kind !== 'trusted') return `its record in the store is ${own.reason}`;
  const { origin } = kept;
  if (origin === undefined || origin.verify === 'off') return undefined;
  const other = ask(seal.trust, origin.text, origin.signature);
  if (other.kind === 'trusted' && other.validUntil !== undefined) seal.onExpiry?.(other.validUntil);
  if (other.kind === 'trusted' || mayCount(other, origin.verify)) return undefined;
  return `it came from '${origin.place}', ${other.reason}`;
}
