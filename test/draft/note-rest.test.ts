import { describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../src/definition/shipped-class-phases.ts';
import { importApkbuild } from '../../src/draft/import/import-apkbuild.ts';
import { importEbuild } from '../../src/draft/import/import-ebuild.ts';
import { importMelange } from '../../src/draft/import/import-melange.ts';

const APKBUILD = `pkgname=tool
pkgver=1.0
pkgrel=3
pkgdesc="A tool"
url="https://example.org/"
arch="all"
license="MIT"
install="$pkgname.pre-install"
pkgusers="tool"
provides="cmd:tool=1.0"
_helper=x
source="https://example.org/tool-$pkgver.tar.gz"
build() {
	make
}
package() {
	make DESTDIR="$pkgdir" install
}
doc() {
	default_doc
}
sha512sums="0"
`;

const EBUILD = `EAPI=8
DESCRIPTION="A tool"
HOMEPAGE="https://example.org/"
SRC_URI="https://example.org/\${P}.tar.gz"
LICENSE="MIT"
SLOT="0"
KEYWORDS="~amd64"
IUSE="unicode color"
REQUIRED_USE="unicode? ( color )"
QA_PREBUILT="usr/bin/tool"
src_compile() {
	emake
}
src_unpack() {
	default
}
pkg_postrm() {
	true
}
`;

const MELANGE = `package:
  name: tool
  version: 1.0
  epoch: 0
  description: A tool
  copyright: [{license: MIT}]
  setcap: [{path: /usr/bin/tool}]
  dependencies:
    runtime: [zlib]
    provides: [cmd-tool=1.0]
environment:
  contents: {packages: [zlib-dev]}
  environment: {CFLAGS: -O3}
update: {enabled: true}
pipeline:
  - runs: make
    working-directory: src
`;

describe('what a recipe of another system says and no translator looks at', () => {
  const notesOf = async (kind: 'apkbuild' | 'ebuild' | 'melange') => {
    const phases = await shippedClassPhases();
    const imported =
      kind === 'apkbuild'
        ? importApkbuild(APKBUILD, phases)
        : kind === 'ebuild'
          ? importEbuild(EBUILD, '/x/app-misc/tool/tool-1.0.ebuild', phases)
          : importMelange(MELANGE, '/x/tool.yaml', phases);
    return imported.draft.notes.map(({ text }) => text);
  };

  test('is marked: variables and functions of an APKBUILD', async () => {
    const notes = await notesOf('apkbuild');
    for (const said of [
      'install is not translated: tool.pre-install',
      'pkgusers is not translated: tool',
      'provides is not translated: cmd:tool=1.0',
      'the function doc is not translated',
    ]) {
      expect(notes).toContain(said);
    }
    expect(notes.filter((text) => /_helper|pkgrel|sha512sums|pkgdesc/.test(text))).toEqual([]);
  });

  test('is marked: variables and functions of an ebuild', async () => {
    const notes = await notesOf('ebuild');
    for (const said of [
      'REQUIRED_USE is not translated: unicode? ( color )',
      'QA_PREBUILT is not translated: usr/bin/tool',
      'the function src_unpack is not translated',
      'pkg_postrm runs on the machine, which nothing does here',
    ]) {
      expect(notes).toContain(said);
    }
    expect(notes.filter((text) => /KEYWORDS|EAPI|WORKDIR|SLOT/.test(text))).toEqual([]);
  });

  test('is marked: keys of a melange file', async () => {
    const notes = await notesOf('melange');
    for (const said of [
      'package.setcap is not translated',
      'package.dependencies.provides is not translated',
      'environment.environment is not translated',
      'update is not translated',
      'pipeline: working-directory is not translated: src',
    ]) {
      expect(notes).toContain(said);
    }
  });
});
