import { gzipSync } from 'node:zlib';
import { sha256 } from '../../src/model/digest.ts';
import type { DebianPin } from '../../src/model/lock.ts';
import { rawMember, rawTar } from '../layer/raw-tar.ts';

export interface RawArMember {
  readonly name: string;
  readonly content: string | Buffer;
  /** In place of the right one. */
  readonly size?: string;
  readonly end?: string;
}

/** An ar archive exactly as asked for: nothing is checked. */
export function rawAr(...members: readonly RawArMember[]): Buffer {
  const parts = members.flatMap(({ name, content, size, end = '`\n' }) => {
    const bytes = Buffer.from(content);
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
    return [
      Buffer.from(`${header}${(size ?? String(bytes.length)).padEnd(10)}${end}`),
      bytes,
      Buffer.alloc(bytes.length % 2, '\n'),
    ];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}

export function controlTar(stanza: string): Buffer {
  return gzipSync(
    rawTar(rawMember({ name: './', type: '5', mode: '0000755\0' }), rawMember({ name: './control' }, stanza)),
  );
}

export interface DebOptions {
  readonly name?: string;
  readonly version?: string;
  readonly architecture?: string;
  readonly more?: string;
  /** The bytes of data.tar. */
  readonly data?: Buffer;
}

/** Members of a sound package, for tests to damage. */
export function debMembers(options: DebOptions = {}): [RawArMember, RawArMember, RawArMember] {
  const { name = 'tool', version = '1.0-1', architecture = 'amd64', more = '', data = defaultData(name) } = options;
  const stanza = `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\n${more}Description: a tool\n of many lines\n`;
  return [
    { name: 'debian-binary', content: '2.0\n' },
    { name: 'control.tar.gz', content: controlTar(stanza) },
    { name: 'data.tar.gz', content: gzipSync(data) },
  ];
}

export function rawDeb(options: DebOptions = {}): Buffer {
  return rawAr(...debMembers(options));
}

/** 0o1751 seconds after 1970 and less: merged paths, an owner, a set-id file, a link. */
function defaultData(name: string): Buffer {
  const directory = { type: '5', mode: '0000755\0', mtime: '00000001000\0' };
  return rawTar(
    rawMember({ ...directory, name: './' }),
    rawMember({ ...directory, name: './bin/' }),
    rawMember({ name: `./bin/${name}`, mode: '0004755\0', mtime: '00000001751\0', gid: '0000052\0' }, '#!/bin/sh\n'),
    rawMember({ ...directory, name: './usr/' }),
    rawMember({ ...directory, name: './usr/share/' }),
    rawMember({ ...directory, name: './usr/share/doc/' }),
    rawMember({ ...directory, name: `./usr/share/doc/${name}/` }),
    rawMember({ name: `./usr/share/doc/${name}/copyright`, mtime: '00000001000\0' }, 'MIT\n'),
    rawMember({ name: `./usr/share/${name}`, type: '2', link: `doc/${name}`, mtime: '00000001000\0' }),
  );
}

/** A pin of a package as a lock would hold it. */
export function pinOf(deb: Buffer, pin: Partial<DebianPin> = {}): DebianPin {
  const { name = 'tool', version = '1.0-1', architecture = 'amd64' } = pin;
  return {
    name,
    version,
    architecture,
    suite: 'stable',
    archive: 'debian',
    date: '2026-01-01T00:00:00Z',
    path: `pool/main/${name[0]}/${name}/${name}_${version}_${architecture}.deb`,
    size: deb.length,
    sha256: sha256(deb),
    depends: [],
    source: { name, version },
    ...pin,
  };
}
