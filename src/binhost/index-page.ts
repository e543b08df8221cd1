import { hashAsUuid } from '../model/package-hash.ts';
import type { BinhostIdentity } from './binhost-identity.ts';
import { containerTitle } from './container-entry.ts';
import type { IndexContent } from './index-part.ts';

/** A page for people: what the place holds, without scripts and without anything from elsewhere. */
export function indexPage({ name }: BinhostIdentity, { packages, containers }: IndexContent): string {
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
<title>${escapeHtml(name)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; white-space: nowrap }
code { font-family: ui-monospace, monospace; font-size: .9em }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616 } th, td { border-color: #333 } }
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

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<div class="scroll"><table>\n<thead>${cells('th', titles)}</thead>\n<tbody>\n${rows.map((row) => cells('td', row)).join('\n')}\n</tbody>\n</table></div>`;
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
