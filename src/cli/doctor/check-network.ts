import { readAptSources } from '../../debian/apt-sources.ts';
import { printable } from '../../model/names.ts';
import { advice, type Finding, fault, ok } from './finding.ts';
import type { HostView } from './host-view.ts';

/** Where Debian packages will come from; nothing is asked over the network. */
export function checkMirror(host: HostView): Finding {
  if (host.debianMirror !== undefined)
    return ok('debian mirror', `${printable(host.debianMirror)} (configured, not asked)`);
  const roots = new Set(readAptSources(`${host.root}/etc/apt`).map(({ root }) => root));
  if (roots.size > 0) return ok('debian mirror', `${[...roots].map(printable).join(', ')} (not asked)`);
  return advice(
    'debian mirror',
    'none configured and no apt sources here: the snapshot service is used, which is slow',
    'name one in .buildit-config.yaml: `debian: {mirror: "https://…"}`',
  );
}

const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];

export function checkProxies({ environment }: HostView): readonly Finding[] {
  return PROXY_VARIABLES.flatMap((name): readonly Finding[] => {
    const value = environment[name];
    if (value === undefined || value === '') return [];
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      return [fault('proxy', `${name} is no http or https URL`, `export ${name}=http://HOST:PORT, or: unset ${name}`)];
    }
    return [ok('proxy', `${name}: ${url.protocol}//${printable(url.host)}`)];
  });
}
