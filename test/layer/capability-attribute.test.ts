import fc from 'fast-check';
import { expect, test } from 'vitest';
import { capabilityAttribute, parseCapabilityAttribute } from '../../src/layer/capability-attribute.ts';
import { CAPABILITIES, isCapabilitySet, sortCapabilities } from '../../src/model/capability.ts';

// What `setcap NAMES+ep` writes.
test.each([
  ['cap_chown', '0100000201000000000000000000000000000000'],
  ['cap_net_bind_service', '0100000200040000000000000000000000000000'],
  ['cap_setfcap', '0100000200000080000000000000000000000000'],
  ['cap_mac_override', '0100000200000000000000000100000000000000'],
  ['cap_net_admin cap_net_raw', '0100000200300000000000000000000000000000'],
  ['cap_checkpoint_restore', '0100000200000000000000000001000000000000'],
])('%s is written as the kernel reads it', (names, hex) => {
  const capabilities = sortCapabilities(names.split(' '));
  expect(capabilityAttribute(capabilities).toString('hex')).toBe(hex);
  expect(parseCapabilityAttribute(Buffer.from(hex, 'hex'))).toEqual(capabilities);
});

test('every set of capabilities is read as it was written, and no other bytes are read', () => {
  fc.assert(
    fc.property(fc.subarray([...CAPABILITIES], { minLength: 1 }), (capabilities) => {
      expect(isCapabilitySet(capabilities)).toBe(true);
      expect(parseCapabilityAttribute(capabilityAttribute(capabilities))).toEqual(capabilities);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const read = parseCapabilityAttribute(bytes);
      if (read !== undefined) expect(capabilityAttribute(read)).toEqual(Buffer.from(bytes));
    }),
  );
});

test('a set is sorted by number and has each name once', () => {
  expect(sortCapabilities(['cap_net_raw', 'cap_chown', 'cap_net_raw'])).toEqual(['cap_chown', 'cap_net_raw']);
  for (const other of [[], ['cap_net_raw', 'cap_chown'], ['cap_chown', 'cap_chown'], ['chown'], 'cap_chown', null]) {
    expect(isCapabilitySet(other)).toBe(false);
  }
});
