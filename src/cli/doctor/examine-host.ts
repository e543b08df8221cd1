import { checkClock } from './check-clock.ts';
import { checkMirror, checkProxies } from './check-network.ts';
import { checkBubblewrap, checkFlock, checkNode, checkXz } from './check-programs.ts';
import { checkStore } from './check-store.ts';
import { checkUserNamespaces } from './check-user-namespaces.ts';
import type { Finding } from './finding.ts';
import type { HostView } from './host-view.ts';

/** Everything a machine needs to build, looked at in the order in which a newcomer would mend it. */
export async function examineHost(host: HostView): Promise<readonly Finding[]> {
  return [
    checkNode(host),
    await checkUserNamespaces(host),
    await checkBubblewrap(host),
    ...(await checkStore(host)),
    checkClock(host),
    checkFlock(host),
    checkXz(host),
    checkMirror(host),
    ...checkProxies(host),
  ];
}
