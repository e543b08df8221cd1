/**
 * The capabilities of Linux in the order of their numbers (linux/capability.h, first is 0), by the names that
 * capabilities(7) and setcap(8) give them in lower case.
 */
export const CAPABILITIES = [
  'cap_chown',
  'cap_dac_override',
  'cap_dac_read_search',
  'cap_fowner',
  'cap_fsetid',
  'cap_kill',
  'cap_setgid',
  'cap_setuid',
  'cap_setpcap',
  'cap_linux_immutable',
  'cap_net_bind_service',
  'cap_net_broadcast',
  'cap_net_admin',
  'cap_net_raw',
  'cap_ipc_lock',
  'cap_ipc_owner',
  'cap_sys_module',
  'cap_sys_rawio',
  'cap_sys_chroot',
  'cap_sys_ptrace',
  'cap_sys_pacct',
  'cap_sys_admin',
  'cap_sys_boot',
  'cap_sys_nice',
  'cap_sys_resource',
  'cap_sys_time',
  'cap_sys_tty_config',
  'cap_mknod',
  'cap_lease',
  'cap_audit_write',
  'cap_audit_control',
  'cap_setfcap',
  'cap_mac_override',
  'cap_mac_admin',
  'cap_syslog',
  'cap_wake_alarm',
  'cap_block_suspend',
  'cap_audit_read',
  'cap_perfmon',
  'cap_bpf',
  'cap_checkpoint_restore',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** The same set in the order of the numbers, each once; names that are none are left out. */
export function sortCapabilities(names: Iterable<string>): readonly Capability[] {
  const wanted = new Set(names);
  return CAPABILITIES.filter((name) => wanted.has(name));
}

/** Whether something is a set of capabilities as `sortCapabilities` gives it, and not empty. */
export function isCapabilitySet(value: unknown): value is readonly Capability[] {
  if (!Array.isArray(value) || value.length === 0) return false;
  const sorted = sortCapabilities(value);
  return sorted.length === value.length && sorted.every((name, index) => name === value[index]);
}
