import { archiveRefusal } from '../layer/archive-refusal.ts';
import { decompress } from '../layer/decompress.ts';
import { readTar } from '../layer/read-tar.ts';
import type { DebianPin } from '../model/lock.ts';
import { type ControlStanza, parseControlStanza } from './control-stanza.ts';
import type { DebPart } from './open-deb.ts';

const MAXIMUM_CONTROL_BYTES = 64 << 20;
const MAXIMUM_STANZA_BYTES = 1 << 20;

/** Where a layer tells which Debian package it is; scanners look there in images that have no dpkg. */
export function statusEntryPath(name: string): string {
  return `var/lib/dpkg/status.d/${name}`;
}

/**
 * The status entry of a package, made of the control file inside it: what dpkg would write after installing it. A
 * package that says it is another one than the lock names is refused.
 */
export async function readStatusEntry(control: DebPart, pin: DebianPin, what: string): Promise<Buffer> {
  // Bytes beyond ASCII are handed through as they are.
  const text = (await readControlFile(control, what)).toString('latin1');
  const stanza = parseControlStanza(text, `control of ${what}`);
  requireSame(stanza, pin, what);
  const [first, ...rest] = text.replace(/\n+$/, '').split('\n');
  return Buffer.from(`${[first, 'Status: install ok installed', ...rest].join('\n')}\n`, 'latin1');
}

async function readControlFile(part: DebPart, what: string): Promise<Buffer> {
  const options = { what: `control.tar of ${what}` };
  let control: Buffer | undefined;
  for await (const member of readTar(
    decompress(part.bytes, part.compression, { ...options, maxBytes: MAXIMUM_CONTROL_BYTES }),
    options,
  )) {
    if (member.path !== 'control') continue;
    if (control !== undefined || member.type !== 'file' || member.size > MAXIMUM_STANZA_BYTES) {
      throw archiveRefusal(options.what, 'one small file "control"', 'another kind of it');
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of member.content) chunks.push(Buffer.from(chunk));
    control = Buffer.concat(chunks);
  }
  if (control === undefined) throw archiveRefusal(options.what, 'a file "control"', 'none');
  return control;
}

function requireSame(stanza: ControlStanza, pin: DebianPin, what: string): void {
  const found = ['Package', 'Version', 'Architecture'].map((field) => stanza.get(field) ?? 'none').join(' ');
  const expected = `${pin.name} ${pin.version} ${pin.architecture}`;
  if (found !== expected) throw archiveRefusal(what, `the package ${expected}`, found);
  if (stanza.has('Status')) throw archiveRefusal(what, 'a control file without Status', 'one with it');
}
