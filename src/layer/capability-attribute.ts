import { CAPABILITIES, type Capability } from '../model/capability.ts';

/** The pax record that holds the attribute: star's spelling, which the image specification of OCI names (layer.md). */
export const CAPABILITY_RECORD = 'SCHILY.xattr.security.capability';

/** `VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE` of linux/capability.h. */
const MAGIC = 0x0200_0001;
const BYTES = 20;

/** `struct vfs_cap_data` of revision 2: what is permitted is effective at once, and nothing is inheritable. */
export function capabilityAttribute(capabilities: readonly Capability[]): Buffer {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  for (const name of capabilities) {
    const number = CAPABILITIES.indexOf(name);
    // Two words each of permitted and inheritable, taking turns: low, low, high, high.
    const place = number < 32 ? 4 : 12;
    bytes.writeUInt32LE((bytes.readUInt32LE(place) | (1 << (number % 32))) >>> 0, place);
  }
  return bytes;
}

/** What an attribute gives a file; undefined for every one that `capabilityAttribute` does not write. */
export function parseCapabilityAttribute(bytes: Uint8Array): readonly Capability[] | undefined {
  if (bytes.length !== BYTES) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = [view.readUInt32LE(4), view.readUInt32LE(12)];
  const found = CAPABILITIES.filter((_, number) => (words[Math.floor(number / 32)]! & (1 << (number % 32))) !== 0);
  return found.length > 0 && capabilityAttribute(found).equals(view) ? found : undefined;
}
