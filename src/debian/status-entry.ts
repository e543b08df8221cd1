import { archiveRefusal } from '../layer/archive-refusal.ts';
import type { DebianPin } from '../model/lock.ts';
import { readControlFiles } from './control-files.ts';
import { type ControlStanza, parseControlStanza, withoutLastEmptyLines } from './control-stanza.ts';
import type { DebPart } from './open-deb.ts';

/** Where a layer tells which Debian package it is; scanners look there in images that have no dpkg. */
export function statusEntryPath(name: string): string {
  return `var/lib/dpkg/status.d/${name}`;
}

/**
 * The status entry of a package, made of the control file inside it: what dpkg would write after installing it. A
 * package that says it is another one than the lock names is refused.
 */
export async function readStatusEntry(control: DebPart, pin: DebianPin, what: string): Promise<Buffer> {
  const files = await readControlFiles(control, ['control'], what);
  const { stanza, entry } = statusEntry(files.get('control')!, what);
  requireSame(stanza, pin, what);
  return entry;
}

/** What dpkg would write of a package after installing it, from its control file. */
export function statusEntry(control: Buffer, what: string): { readonly stanza: ControlStanza; readonly entry: Buffer } {
  // Bytes beyond ASCII are handed through as they are.
  const text = control.toString('latin1');
  const stanza = parseControlStanza(text, `control of ${what}`);
  if (stanza.has('Status')) throw archiveRefusal(what, 'a control file without Status', 'one with it');
  const [first, ...rest] = withoutLastEmptyLines(text).split('\n');
  const entry = Buffer.from(`${[first, 'Status: install ok installed', ...rest].join('\n')}\n`, 'latin1');
  return { stanza, entry };
}

function requireSame(stanza: ControlStanza, pin: DebianPin, what: string): void {
  const found = ['Package', 'Version', 'Architecture'].map((field) => stanza.get(field) ?? 'none').join(' ');
  const expected = `${pin.name} ${pin.version} ${pin.architecture}`;
  if (found !== expected) throw archiveRefusal(what, `the package ${expected}`, found);
}
