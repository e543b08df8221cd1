import { hashAsUuid } from '../model/package-hash.ts';
import type { BinhostIdentity } from './binhost-identity.ts';
import { type ContainerEntry, containerTitle } from './container-entry.ts';
import type { IndexContent } from './index-part.ts';

/**
 * A page for people: what the place holds, without scripts and without anything from elsewhere. Where the place knows its
 * public address, discovery tags tell clients of appc, and buildit itself, where images and packages are.
 */
export function indexPage({ name, url }: BinhostIdentity, { packages, containers }: IndexContent): string {
  const newest = [...containers].sort((a, b) => (a.time < b.time ? 1 : -1));
  const sorted = [...packages].sort((a, b) =>
    order(`${a.name} ${a.version} ${a.hash}`, `${b.name} ${b.version} ${b.hash}`),
  );
  const containerRows = newest.map((entry) => [
    containerTitle(entry),
    entry.version,
    entry.platform,
    entry.images.map(({ digest }) => `sha256:${digest.slice(0, 12)}…`).join(' '),
    entry.time.slice(0, 16).replace('T', ' '),
  ]);
  const packageRows = sorted.map((entry) => [
    entry.name,
    entry.version,
    entry.platform,
    hashAsUuid(entry.hash),
    sizeText(entry.size),
    `${entry.key.slice(0, 12)}…`,
  ]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
${discoveryTags(url, containers)}<title>${escapeHtml(name)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.6rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; overflow-wrap: anywhere }
.code { font-family: ui-monospace, monospace; font-size: .85em }
@media (max-width: 48rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid #ddd }
  td { display: block; padding: 0; border: 0 }
  td::before { content: attr(data-title) ": "; color: #666; font: 16px/1.5 system-ui, sans-serif }
}
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #161616 }
  th, td, tr { border-color: #444 }
  td::before { color: #aaa }
}
</style>
</head>
<body>
<h1>${escapeHtml(name)}</h1>
<p>A binhost of buildit: ${counted(packages.length, 'package')} and ${counted(containers.length, 'container')}.</p>
<h2>Containers</h2>
${table(['Name', 'Version', 'Platform', 'Images', 'Published (UTC)'], containerRows)}
<h2>Packages</h2>
${table(['Name', 'Version', 'Platform', 'HASH', 'Size', 'Builder’s key'], packageRows)}
</body>
</html>
`;
}

/** On a narrow screen each row is a block, and each cell says what it is. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const head = titles.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const cell = (text: string, index: number) => {
    const title = titles[index]!;
    const code = MACHINE_TEXT.has(title) ? ' class="code"' : '';
    return `<td data-title="${escapeHtml(title)}"${code}>${escapeHtml(text)}</td>`;
  };
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

const MACHINE_TEXT = new Set(['Images', 'HASH', 'Builder’s key']);

/**
 * appc specification, "App Container Image Discovery". An image is asked for by the place's address and its title, such
 * as `example.org/containers/Sysadmin42/nginx`: a tag for each title leads to where its ACIs lie. The last tag fits a
 * mirror that keeps images under their whole names.
 */
function discoveryTags(url: string | undefined, containers: readonly ContainerEntry[]): string {
  if (url === undefined) return '';
  const prefix = url.slice('https://'.length);
  const titles = [...new Set(containers.map(containerTitle))].sort();
  const tags = [
    ['buildit-discovery', `${prefix} ${url}/buildit.json`],
    ...titles.map((title) => ['ac-discovery', `${prefix}/${title} ${url}/aci/{os}/{arch}/${title}-{version}.{ext}`]),
    ['ac-discovery', `${prefix} ${url}/aci/{os}/{arch}/{name}-{version}.{ext}`],
  ] as const;
  return tags.map(([tag, content]) => `<meta name="${tag}" content="${escapeHtml(content!)}">\n`).join('');
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function sizeText(bytes: number): string {
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
