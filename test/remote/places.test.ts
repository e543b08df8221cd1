import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openReader, openWriter, type PlaceOptions } from '../../src/remote/open-place.ts';
import { filesBelow } from '../support/place-files.ts';
import { requires } from '../support/requires.ts';
import { serverAccount, startSshd } from '../support/sshd.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import { testReader, testWriter, type WritablePlace } from './remote-place.suite.ts';

const here: PlaceOptions = { environment: { PATH: process.env.PATH }, home: '/nonexistent' };

function fill(directory: string, files: Readonly<Record<string, Buffer | string>>): void {
  const below = filesBelow(directory, serverAccount());
  for (const [path, bytes] of Object.entries(files)) below.write(path, bytes);
}

async function openFile(): Promise<WritablePlace> {
  const directory = join(temporaryDirectory(), 'mounted/containers');
  const open = () => openWriter({ type: 'file', path: directory }, here);
  return { place: await open(), again: open, files: filesBelow(directory) };
}

async function openSftp(driver: 'builtin' | 'system'): Promise<WritablePlace> {
  const { at, home, directory } = await startSshd();
  const open = () => openWriter({ type: 'ssh', path: `${at}/srv/containers`, driver }, { ...here, home });
  const root = join(directory, 'srv/containers');
  return { place: await open(), again: open, files: filesBelow(root, serverAccount()) };
}

testWriter('a directory', openFile);
testWriter('sftp, built in', () => openSftp('builtin'), requires('sshd', 'ssh-keygen').describe);
testWriter("sftp, the system's", () => openSftp('system'), requires('sshd', 'ssh', 'ssh-keygen').describe);

// What many hosting providers offer: version 3 and nothing more.
const EXTENSIONS = ['hardlink', 'posix-rename', 'fsync', 'limits', 'statvfs'];
testWriter(
  'sftp without extensions',
  async () => {
    const directory = join(traversableDirectory(), 'served');
    const { at, home } = await startSshd({
      directory,
      config: [`ForceCommand internal-sftp -d ${directory} -P ${EXTENSIONS.join(',')}`],
    });
    const open = () => openWriter({ type: 'ssh', path: at }, { ...here, home });
    return { place: await open(), again: open, files: filesBelow(directory, serverAccount()) };
  },
  requires('sshd', 'ssh-keygen').describe,
);

testReader('a directory', async (files) => {
  const directory = temporaryDirectory();
  fill(directory, files);
  return openReader({ type: 'file', path: directory }, here);
});
testReader(
  'sftp',
  async (files) => {
    const { at, home, directory } = await startSshd();
    mkdirSync(join(directory, 'p'));
    fill(join(directory, 'p'), files);
    return openReader({ type: 'ssh', path: `${at}/p` }, { ...here, home });
  },
  requires('sshd', 'ssh-keygen').describe,
);
testReader(
  'https',
  async (files) => {
    const directory = traversableDirectory();
    fill(join(directory, 'containers'), files);
    const { at, ca } = await startStaticServer(directory);
    return openReader({ type: 'https', path: `${at}/containers`, ca }, here);
  },
  requires('nginx', 'openssl').describe,
);
