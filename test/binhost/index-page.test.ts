import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ContainerEntry } from '../../src/binhost/container-entry.ts';
import { discoveryOffer } from '../../src/binhost/discovery-offer.ts';
import { indexPage } from '../../src/binhost/index-page.ts';
import { EMPTY_INDEX, type IndexContent } from '../../src/binhost/index-part.ts';
import { readDiscoveryTags } from '../../src/discover/discovery-tags.ts';
import { parseBuilditJson } from '../../src/discover/parse-buildit-json.ts';
import { scanMetaTags } from '../../src/discover/scan-meta-tags.ts';
import { sha256 } from '../../src/model/digest.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const identity = { format: 1, id: sha256('place'), name: 'shelf' } as const;
const url = 'https://example.org/containers';

function containerOf(name: string, author: string | null = 'Sysadmin42'): ContainerEntry {
  return {
    ...{ author, name, version: '1.7.6-p1', platform: 'linux/amd64', key: sha256('key') },
    time: '2026-01-02T03:04:05.678Z',
    document: { digest: sha256(name), size: 10 },
    images: [{ digest: sha256(`image of ${name}`), size: 10, tags: ['latest'] }],
  };
}

function contentOf(...names: readonly string[]): IndexContent {
  const packages = names.map((name) => ({
    ...{ hash: sha256(`hash of ${name}`), buildKey: sha256(`build key of ${name}`), key: sha256('key'), name },
    ...{ version: '1.22.1', platform: 'linux/amd64', size: 1_500_000 },
  }));
  return { packages, containers: [containerOf('nginx-production')] };
}

const run = promisify(execFile);

/** What headless Chromium says of a page: its document after loading, or a fact that a script outside of it finds. */
async function inChromium(html: string, ...options: readonly string[]): Promise<string> {
  const work = temporaryDirectory();
  writeFileSync(join(work, 'page.html'), html);
  const { stdout } = await run(
    'chromium',
    [
      ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'],
      ...[`--user-data-dir=${work}/profile`, '--virtual-time-budget=2000', ...options, `file://${work}/page.html`],
    ],
    { env: { PATH: process.env.PATH, HOME: work }, timeout: 60_000, maxBuffer: 2 ** 25 },
  );
  return stdout;
}

describe('the page of a binhost', () => {
  test('lists containers and packages, and says what it has none of', () => {
    const page = indexPage(identity, contentOf('www-servers/nginx'));
    for (const text of ['Sysadmin42/nginx-production', '1.7.6-p1', 'www-servers/nginx', '1 package and 1 container'])
      expect(page).toContain(text);
    expect(indexPage(identity, EMPTY_INDEX)).toContain('<p>None.</p>');
  });

  test('has no scripts, nothing from elsewhere, and a policy that says so', () => {
    const page = indexPage({ ...identity, url }, contentOf('www-servers/nginx'));
    expect(page).not.toMatch(/<script|<link|<img|<iframe|src=|href=|url\(|@import|\son[a-z]+=/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('shows a hostile name as text', () => {
    const hostile = '<script>alert(1)</script>"\'&<img src=x onerror=alert(2)>';
    const page = indexPage({ ...identity, name: hostile }, contentOf(hostile));
    expect(page).not.toMatch(/<script|<img/i);
    expect(page).toContain('&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;');
  });

  test('has discovery tags only where the place knows its address', async () => {
    const content = contentOf('www-servers/nginx');
    expect(indexPage(identity, content)).not.toContain('ac-discovery');
    const tags = scanMetaTags(indexPage({ ...identity, url }, content));
    const location = 'example.org/containers/Sysadmin42/nginx-production';
    const { addresses, images, refused } = readDiscoveryTags(tags, location, { allowThisMachine: false });
    expect(refused).toEqual([]);
    expect(addresses).toEqual([`${url}/buildit.json`]);
    const offered = { name: 'buildit.json', path: 'buildit.json', text: discoveryOffer('shelf', url), lineStarts: [0] };
    const rules = { isAlone: true, allowThisMachine: false };
    expect(await parseBuilditJson(offered, rules)).toMatchObject({
      binhosts: [{ name: 'shelf', downloadType: 'https', downloadPath: 'example.org/containers' }],
    });
    expect(images).toEqual([
      {
        prefix: location,
        template: `${url}/aci/{os}/{arch}/Sysadmin42/nginx-production-{version}.{ext}`,
      },
      { prefix: 'example.org/containers', template: `${url}/aci/{os}/{arch}/{name}-{version}.{ext}` },
    ]);
  });
});

requires('chromium').describe('the page in Chromium', () => {
  const page = indexPage(
    { ...identity, url },
    contentOf('www-servers/nginx', `a-very-long-category-name/${'long-'.repeat(11)}name`),
  );

  /** The page in a frame of that width beside a script of the test's own, which tells how wide its content is. */
  async function scrollWidth(width: number): Promise<number> {
    const framed = page.replace(/<meta http-equiv[^>]*>/, '').replace(
      '</body>',
      `<script>document.title =
      'width ' + Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)</script></body>`,
    );
    const outer = `<!doctype html><body style="margin:0"><iframe id="f" style="border:0;width:${width}px;height:800px"></iframe>
      <script>const f = document.getElementById('f'); f.onload = () => { document.title = f.contentDocument.title };
      f.srcdoc = ${JSON.stringify(framed).replaceAll('</', '<\\/')}</script></body>`;
    const [, found] = /<title>width (\d+)<\/title>/.exec(await inChromium(outer, '--dump-dom')) ?? [];
    return Number(found);
  }

  test.each([360, 1280])('fits into %i pixels', async (width) => {
    expect(await scrollWidth(width)).toBeLessThanOrEqual(width);
  });

  test('runs nothing of a hostile name', async () => {
    const hostile = '</td><script>document.title="run"</script><img src=x onerror=document.title="run">';
    const dom = await inChromium(indexPage(identity, contentOf(hostile)), '--dump-dom');
    expect(dom).toContain('<title>shelf</title>');
    expect(dom).not.toMatch(/<script|<img/);
  });

  test('is as valid as the browser has it: what is parsed is what was written', async () => {
    const dom = await inChromium(page, '--dump-dom');
    const elements = (html: string) =>
      [...html.matchAll(/<(table|thead|tbody|tr|td|th|h1|h2|meta)\b/g)].map(([tag]) => tag);
    expect(elements(dom)).toEqual(elements(page));
  });

  test('is dark where the reader wants that', async () => {
    const measured = page
      .replace(/<meta http-equiv[^>]*>/, '')
      .replace('</body>', '<script>document.title = getComputedStyle(document.body).backgroundColor</script></body>');
    expect(await inChromium(measured, '--dump-dom', '--force-dark-mode')).toContain('<title>rgb(22, 22, 22)</title>');
    expect(await inChromium(measured, '--dump-dom')).toContain('<title>rgb(255, 255, 255)</title>');
  });
});
