import type { BuildClass } from './build-class.ts';

/**
 * Builds a Debian source package as Debian does, in a root with its Build-Depends, and leaves its binary packages. The
 * date is the changelog's, as dpkg-buildpackage takes it; its tests run only when they are asked for. Nothing of what is
 * set here for other classes may reach the package's own rules.
 */
export const DEBIAN_CLASS: BuildClass = {
  phases: {
    build: [
      'export DEB_BUILD_OPTIONS="nocheck parallel=$JOBS"',
      'unset BUILDIT_CONFIGURE BUILDIT_NAME BUILDIT_VERSION DESTDIR FILESDIR JOBS SOURCE_DATE_EPOCH',
      'dpkg-buildpackage --build=binary --no-sign --no-check-builddeps',
    ].join('\n'),
    install: 'cp ../*.deb "$DESTDIR"',
    check: [
      'export DEB_BUILD_OPTIONS="parallel=$JOBS"',
      'unset BUILDIT_CONFIGURE BUILDIT_NAME BUILDIT_VERSION DESTDIR FILESDIR JOBS SOURCE_DATE_EPOCH',
      'if grep -qE "^override_dh_auto_test(-arch)?:" debian/rules; then target=override_dh_auto_test; else target=; fi',
      'if [ -n "$target" ]; then debian/rules "$target"; else dh_auto_test; fi',
    ].join('\n'),
  },
  environment: {
    // dpkg-deb would compress with xz what is read again at once.
    DPKG_DEB_COMPRESSOR_TYPE: 'none',
    // A user namespace answers EINVAL for users that it does not know, and fakeroot forgives EPERM alone.
    FAKEROOTDONTTRYCHOWN: '1',
  },
  tools: ['fakeroot'],
};
