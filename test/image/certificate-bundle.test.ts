import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { ImageContent } from '../../src/image/prepare-content.ts';
import { treeReader } from '../../src/image/tree-reader.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import type { FileStep } from '../../src/model/container.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { baselayout, position, root, testContainer } from './test-content.ts';

const BUNDLE = 'etc/ssl/certs/ca-certificates.crt';
const OWN = '/usr/local/share/ca-certificates';

function certificate(name: string): string {
  const arguments_ = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  return execFileSync('openssl', [...arguments_, '-subj', `/CN=${name}`, '-keyout', '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function file(dest: string, content: string): FileStep {
  return { kind: 'file', dest, content, mode: 0o644, owner: root, position };
}

async function bundleOf({ tree, layers }: ImageContent): Promise<string | undefined> {
  return tree.entries.has(BUNDLE) ? (await treeReader(tree, layers)(BUNDLE)).toString() : undefined;
}

const shipped = {
  name: 'debian/ca-certificates',
  members: ['B', 'A'].map((name) => fileMember(`usr/share/ca-certificates/mozilla/${name}.crt`, `${name}\n`)),
};

requires('openssl').describe('the bundle of certificates', () => {
  const [one, two] = [certificate('One'), certificate('Two')];

  test('has the container’s own behind those of packages, from any depth, in the order of their names', async () => {
    const { content } = await testContainer([baselayout, shipped], () => [
      file(`${OWN}/z.crt`, one.trimEnd()),
      file(`${OWN}/corp/deep/b.crt`, two.replaceAll('\n', '\r\n')),
      file(`${OWN}/ignored.pem`, one),
      file(`${OWN}/README`, 'text'),
    ]);
    expect(await bundleOf(content)).toBe(`A\nB\n${two.replaceAll('\n', '\r\n')}${one}`);
    expect(content.warnings).toEqual([]);
    expect(content.layers.at(-2)!.listing.some(({ path }) => path === BUNDLE)).toBe(true);
  });

  test('needs no package, and takes several from one file, with text around them', async () => {
    const both = `# ours\n${one}\n# theirs\n${two}`;
    const { content } = await testContainer([baselayout], () => [file(`${OWN}/both.crt`, both)]);
    expect(await bundleOf(content)).toBe(both);
    const packaged = { name: 'app-misc/corp', members: [fileMember('usr/local/share/ca-certificates/c.crt', one)] };
    expect(await bundleOf((await testContainer([baselayout, packaged])).content)).toBe(one);
    expect(await bundleOf((await testContainer([baselayout])).content)).toBeUndefined();
  });

  test('follows links, and ends where they go round', async () => {
    const link = (dest: string, target: string): FileStep => ({ kind: 'link', dest, target, position });
    const { content } = await testContainer([baselayout], () => [
      file('/srv/certs/a.crt', one),
      link(`${OWN}/all`, '/srv/certs'),
      link('/srv/certs/again', '/usr/local/share/ca-certificates'),
      link(`${OWN}/gone.crt`, 'nowhere'),
      link(`${OWN}/z.crt`, '../../../../srv/certs/a.crt'),
    ]);
    expect(await bundleOf(content)).toBe(one + one);
  });

  test('leaves out what would spoil it, with a warning', async () => {
    const der = Buffer.from(one.replace(/-----.*-----/g, ''), 'base64');
    const key = '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n';
    const packaged = { name: 'app-misc/corp', members: [fileMember('usr/local/share/ca-certificates/der.crt', der)] };
    const { content } = await testContainer([baselayout, packaged], () => [
      file(`${OWN}/empty.crt`, ''),
      file(`${OWN}/key.crt`, one + key),
      file(`${OWN}/cut.crt`, one.slice(0, 200)),
      file(`${OWN}/odd.crt`, one.replace(/\n\w{8}/, '\n########')),
      file(`${OWN}/good.crt`, two),
    ]);
    expect(await bundleOf(content)).toBe(two);
    expect(content.warnings.map((text) => text.replace(/^.*: /, ''))).toEqual([
      'it holds a damaged certificate',
      'it is DER, and the bundle is PEM (openssl x509 -inform der -in FILE -out FILE.crt)',
      'it holds no certificate in PEM',
      'it holds a private key, which everyone could read there',
      'it holds a damaged certificate',
    ]);
  });

  test('of a step or a package stays, and only the package’s gets the container’s own', async () => {
    const own = file(`${OWN}/a.crt`, one);
    const stepped = await testContainer([baselayout, shipped], () => [file(`/${BUNDLE}`, 'mine\n'), own]);
    expect(await bundleOf(stepped.content)).toBe('mine\n');
    const packaged = { name: 'app-misc/ca-certificates', members: [fileMember(BUNDLE, 'theirs')] };
    expect(await bundleOf((await testContainer([baselayout, packaged])).content)).toBe('theirs');
    expect(await bundleOf((await testContainer([baselayout, packaged], () => [own])).content)).toBe(`theirs\n${one}`);
  });

  requires('update-ca-certificates').test('is that of update-ca-certificates', async () => {
    const names = ['a b.crt', 'Z.crt', 'corp/x.crt', 'corp.crt', 'no-newline.crt'];
    const own = Object.fromEntries(names.map((name, index) => [name, index === 4 ? two.trimEnd() : one]));
    const conf = '# chosen\nmozilla/B.crt\n!mozilla/A.crt\n\nmozilla/gone.crt\n';
    const { content } = await testContainer([baselayout, shipped], () => [
      file('/etc/ca-certificates.conf', conf),
      ...Object.entries(own).map(([name, text]) => file(`${OWN}/${name}`, text)),
    ]);
    const place = temporaryDirectory();
    const write = (path: string, text: string) => {
      mkdirSync(dirname(join(place, path)), { recursive: true });
      writeFileSync(join(place, path), text);
    };
    for (const name of ['A', 'B']) write(`shipped/mozilla/${name}.crt`, `${name}\n`);
    for (const [name, text] of Object.entries(own)) write(`own/${name}`, text);
    write('conf', conf);
    for (const name of ['etc', 'hooks']) mkdirSync(join(place, name));
    const option = (name: string, path: string) => [`--${name}`, join(place, path)];
    execFileSync(
      '/usr/sbin/update-ca-certificates',
      [
        ...[...option('certsconf', 'conf'), ...option('certsdir', 'shipped'), ...option('localcertsdir', 'own')],
        ...[...option('etccertsdir', 'etc'), ...option('hooksdir', 'hooks')],
      ],
      { env: { ...process.env, LC_ALL: 'C' }, stdio: 'ignore' },
    );
    expect(await bundleOf(content)).toBe(readFileSync(join(place, 'etc/ca-certificates.crt'), 'utf8'));
  });
});
