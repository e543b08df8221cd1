import { append } from './append.ts';
import type { DebianPin, DebianSet } from './lock.ts';

/** Version of the table below. A change of it changes what images hold. */
export const RUN_EXCLUSIONS_VERSION = 1;

interface Exclusion {
  readonly name: string;
  /** Source package: packages of the same source really use each other. */
  readonly source: string;
  /** Packages that use it at run time, whatever others do. */
  readonly except?: readonly string[];
}

/**
 * Debian packages that others depend on for their maintainer scripts, which never run here: users and services are made
 * by the image, configuration questions are not asked, documentation is not registered. `base-files` and `base-passwd`
 * are what the base layer stands for. Whoever names one of these gets it.
 */
const EXCLUSIONS: readonly Exclusion[] = [
  { name: 'adduser', source: 'adduser' },
  { name: 'base-files', source: 'base-files' },
  { name: 'base-passwd', source: 'base-passwd' },
  { name: 'cdebconf', source: 'cdebconf' },
  { name: 'debconf', source: 'debconf' },
  {
    name: 'dpkg',
    source: 'dpkg',
    except: ['apt', 'apt-utils', 'aptitude', 'debhelper', 'debootstrap', 'devscripts', 'lintian', 'mmdebstrap'],
  },
  { name: 'emacsen-common', source: 'emacsen-common' },
  { name: 'init-system-helpers', source: 'init-system-helpers' },
  { name: 'install-info', source: 'texinfo' },
  { name: 'lsb-base', source: 'lsb' },
  { name: 'opensysusers', source: 'opensysusers' },
  { name: 'sgml-base', source: 'sgml-base' },
  { name: 'systemd', source: 'systemd' },
  { name: 'systemd-standalone-sysusers', source: 'systemd' },
  { name: 'systemd-standalone-tmpfiles', source: 'systemd' },
  { name: 'sysvinit-utils', source: 'sysvinit' },
  { name: 'ucf', source: 'ucf' },
  { name: 'update-inetd', source: 'update-inetd' },
  { name: 'usr-is-merged', source: 'usrmerge' },
  { name: 'usrmerge', source: 'usrmerge' },
  { name: 'xml-core', source: 'xml-core' },
];

/** Names that images do not follow as dependencies of other packages. */
export const RUN_EXCLUSIONS: ReadonlySet<string> = new Set(EXCLUSIONS.map(({ name }) => name));

const EXCLUSION_OF = new Map(EXCLUSIONS.map((exclusion) => [exclusion.name, exclusion]));

/** The dependencies of a Debian package that count at run time. */
export function runDependencies(pin: Pick<DebianPin, 'name' | 'depends' | 'source'>): readonly string[] {
  return pin.depends.filter((name) => {
    const exclusion = EXCLUSION_OF.get(name);
    if (exclusion === undefined) return true;
    return exclusion.source === pin.source.name || exclusion.except?.includes(pin.name) === true;
  });
}

/** The named packages and what they need at run time, out of a resolved set. Names that are not in it are passed over. */
export function imageClosure(set: DebianSet, names: readonly string[]): DebianSet {
  const reached = new Map<string, DebianPin>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name) || !Object.hasOwn(set, name)) continue;
    const pin = set[name]!;
    reached.set(name, pin);
    append(waiting, runDependencies(pin));
  }
  return Object.fromEntries([...reached].sort(([a], [b]) => (a < b ? -1 : 1)));
}
