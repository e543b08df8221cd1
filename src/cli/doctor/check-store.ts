import { accessSync, constants, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { printable } from '../../model/names.ts';
import { freeBytes } from '../../system/files.ts';
import { sizeText } from '../quantities.ts';
import { advice, type Finding, fault, ok } from './finding.ts';
import { type HostView, hostText } from './host-view.ts';

const GIGABYTE = 1e9;
/** A toolchain, unpacked and as fetched, and one build. */
const NEEDED_BYTES = 2 * GIGABYTE;
const COMFORTABLE_BYTES = 10 * GIGABYTE;

/** Whether the store's place can be written, has room, and is a file system that a store can live in. */
export async function checkStore(host: HostView): Promise<readonly Finding[]> {
  const place = nearestExisting(host.store);
  const unusable = unusablePlace(host, place);
  if (unusable !== undefined) return [unusable];
  return [
    ok('store', host.store === place ? host.store : `${host.store} (will be made)`),
    await checkSpace(place),
    checkHardLinks(host, place),
    ...checkMount(host, place),
    ...(host.isRoot ? [checkTraversable(place)] : []),
  ];
}

function nearestExisting(path: string): string {
  for (let place = path; ; place = dirname(place)) {
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined || place === dirname(place)) return place;
  }
}

function unusablePlace({ store }: HostView, place: string): Finding | undefined {
  const remedy = 'name another directory: --store DIR, BUILDIT_STORE, or `store:` in the configuration';
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
  } catch {
    return fault(
      'store',
      `${printable(place)} cannot be written by this user`,
      remedy,
      `or: sudo chown $USER ${place}`,
    );
  }
  if (lstatSync(place).isDirectory() || place !== store) return undefined;
  return fault('store', `${printable(place)} is no directory`, remedy);
}

async function checkSpace(place: string): Promise<Finding> {
  const bytes = await freeBytes(place);
  const text = `${sizeText(bytes)} free`;
  if (bytes < NEEDED_BYTES) {
    return fault(
      'disk',
      `${text}; a first build needs about ${sizeText(NEEDED_BYTES)}`,
      'buildit gc --dry-run shows what could go from the store',
      'or use another disk: --store DIR',
    );
  }
  if (bytes < COMFORTABLE_BYTES) return advice('disk', `${text}: little for many packages`, 'buildit gc, now and then');
  return ok('disk', text);
}

function checkHardLinks(host: HostView, place: string): Finding {
  try {
    host.tryHardLink(place);
    return ok('hard links', 'work');
  } catch (error) {
    return fault(
      'hard links',
      `cannot be made in ${printable(place)} (${printable((error as Error).message)})`,
      'put the store on ext4, xfs, btrfs or tmpfs: --store DIR',
    );
  }
}

const NETWORK_FILE_SYSTEMS = /^(nfs|nfs4|cifs|smb3|9p|fuse\.sshfs|afs|ceph)$/;

function checkMount(host: HostView, place: string): readonly Finding[] {
  const mount = mountOf(hostText(host, '/proc/self/mountinfo') ?? '', place);
  if (mount === undefined) return [];
  if (mount.options.includes('noexec')) {
    return [
      fault(
        'mount',
        `${mount.point} is mounted noexec, and compilers run from the store`,
        `sudo mount -o remount,exec ${mount.point}`,
        'or use another disk: --store DIR',
      ),
    ];
  }
  if (!NETWORK_FILE_SYSTEMS.test(mount.type)) return [];
  return [advice('mount', `${mount.point} is ${mount.type}: locks and speed suffer`, 'use a local disk: --store DIR')];
}

interface Mount {
  readonly point: string;
  readonly options: readonly string[];
  readonly type: string;
}

/** The mount a path lies in: of those whose point is a parent, the longest; of equal ones the last (proc(5)). */
export function mountOf(mountinfo: string, path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' ');
    const point = fields[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const type = fields[fields.indexOf('-') + 1];
    if (point === undefined || type === undefined) continue;
    const isParent = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    if (isParent && point.length >= (found?.point.length ?? 0)) {
      found = { point, type, options: (fields[5] ?? '').split(',') };
    }
  }
  return found;
}

/** Builds that root starts run as other users: they must be able to pass through every directory above the store. */
function checkTraversable(place: string): Finding {
  for (let directory = place; ; directory = dirname(directory)) {
    if ((lstatSync(directory).mode & 0o001) === 0) {
      return fault(
        'store for root',
        `${printable(directory)} lets no other user pass, but builds started by root run as other users`,
        `chmod o+x ${directory}`,
        'or use the usual place: /var/cache/buildit',
      );
    }
    if (directory === dirname(directory)) return ok('store for root', 'every user can pass through');
  }
}
