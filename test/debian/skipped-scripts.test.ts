import { describe, expect, test } from 'vitest';
import { scriptEffects } from '../../src/debian/skipped-scripts.ts';

const effects = (text: string) => scriptEffects(text).map(({ kind, command }) => `${kind} ${command}`);

describe('what a maintainer script would have done', () => {
  test.each([
    ['\t    php_invoke enmod 8.2 ALL $dsoname', ['modules phpenmod']],
    ['if a2enmod -q proxy; then :; fi', ['modules a2enmod']],
    ['adduser --system --group redis || true', ['users adduser']],
    ['/usr/sbin/useradd -r x', ['users useradd']],
    ['update-alternatives \\\n  --install /usr/bin/own own /usr/bin/own.x 10', ['alternatives update-alternatives']],
    ['[ -d /var/lib/x ] || mkdir -p /var/lib/x; chown x:x /var/lib/x', ['directories mkdir', 'permissions chown']],
    ['install -d -o x /var/lib/x', ['directories install']],
    ['setcap cap_net_raw+ep /usr/bin/ping', ['permissions setcap']],
    ['dpkg-statoverride --update --add root root 01733 /var/lib/php', ['permissions dpkg-statoverride']],
    ['ucf /usr/share/x /etc/x', ['configuration ucf']],
    ['locale-gen', ['databases locale-gen']],
    ['X=$(update-mime-database /usr/share/mime)', ['caches update-mime-database']],
  ])('%s', (line, expected) => expect(effects(`#!/bin/sh\nset -e\n${line}\n`)).toEqual(expected));

  test.each([
    'update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5',
    'update-alternatives --install /bin/nc nc /bin/nc.openbsd 50',
    'update-alternatives --install "$BINPATH"/"$BINNAME" x y 1',
    'update-alternatives --install /usr/share/man/man1/x.1.gz x y 1',
    'update-alternatives --remove own /usr/bin/own.x',
    'ldconfig',
    'update-ca-certificates --fresh',
    'deb-systemd-helper enable x.service; update-rc.d x defaults',
    'py3compile -p x',
    'mkdir -p /usr/local/lib/python3.11; chown root:staff /usr/local/lib/python3.11',
    'dpkg-statoverride --list /var/lib/x',
    '# adduser --system x',
    'echo "run a2enmod proxy"',
    'apache2_msg notice "NOTICE: a2enmod proxy_fcgi"',
    'chmod 755 "$dir"',
  ])('is not missed: %s', (line) => expect(effects(line)).toEqual([]));

  test('is said once for each kind', () => {
    expect(effects('adduser a\naddgroup b\nadduser c\n')).toEqual(['users adduser']);
  });

  test('is found in time that grows with the text', () => {
    for (const part of ['adduser ', '\\\n', '"\'`', 'update-alternatives --install ', 'a_', '#\n']) {
      const before = performance.now();
      scriptEffects(part.repeat(1_000_000 / part.length));
      expect(performance.now() - before).toBeLessThan(1500);
    }
  });
});
