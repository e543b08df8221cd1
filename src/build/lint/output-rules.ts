import type { LintSeverity, OutputLintCode } from '../../model/output-lint.ts';

/** How a finding is told: what was expected, and what mends it. */
export interface OutputRule {
  readonly severity: LintSeverity;
  /** Behind "expected". */
  readonly expected: string;
  /** The way to mend it, as one line. */
  readonly mend: string;
}

export const OUTPUT_RULES: Readonly<Record<OutputLintCode, OutputRule>> = {
  'build-path': {
    severity: 'error',
    expected: 'no path of the build inside its files',
    mend: 'let the program find its files below /usr: give --prefix=/usr to its configure script, pass $CFLAGS on (they hold -ffile-prefix-map), or replace the path with sed in the install phase',
  },
  'dangling-link': {
    severity: 'warning',
    expected: 'links that lead to something in the package or its dependencies',
    mend: 'link to what is there, name the package that has it among dependencies.run, or remove the link in the install phase',
  },
  'executable-stack': {
    severity: 'error',
    expected: 'programs and libraries without an executable stack',
    mend: 'link with LDFLAGS -Wl,-z,noexecstack; in assembler sources: .section .note.GNU-stack,"",%progbits',
  },
  'missing-interpreter': {
    severity: 'error',
    expected: 'the interpreter of each script in the package or its dependencies',
    mend: 'name the package that has it among dependencies.run, or leave the script out in the install phase',
  },
  'missing-license': {
    severity: 'warning',
    expected: 'a licence',
    mend: 'say license: in pkg.yaml; its text is found where it lies beside the sources as LICENSE or COPYING, from elsewhere the phase "licenses" of the recipe takes it: install -Dm644 LICENSE "$DESTDIR/usr/share/licenses/$BUILDIT_NAME/LICENSE"',
  },
  'name-collision': {
    severity: 'error',
    expected: 'names that differ by more than case or Unicode form',
    mend: 'leave one of them out in the install phase, or give it another name',
  },
  'path-policy': {
    severity: 'error',
    expected: 'files where packages put theirs: below /usr, /etc, /var, /opt or /srv',
    mend: 'give other directories to the build (--prefix=/usr --sysconfdir=/etc --localstatedir=/var), or remove what nobody needs at the end of the install phase',
  },
  'replaced-tool': {
    severity: 'error',
    expected: 'no file in the place of a shell, compiler or tool that builds use',
    mend: 'give it another name, or say replaces: [debian/NAME] in pkg.yaml where the package is to take the place of that one',
  },
  'run-path': {
    severity: 'error',
    expected: 'libraries to be looked for in directories of libraries only',
    mend: 'link without -rpath (libtool and cmake have switches for that: cmake -DCMAKE_SKIP_INSTALL_RPATH=ON), or use $ORIGIN for a directory of the package',
  },
  'set-id': {
    severity: 'error',
    expected: 'no set-user-ID and set-group-ID files',
    mend: 'chmod u-s,g-s in the install phase',
  },
  'shared-file': {
    severity: 'error',
    expected: 'no file that changes what programs of other packages do',
    mend: 'leave it out in the install phase, or set what it sets for this program alone: in a wrapper, or by environment: of the image',
  },
  'text-relocation': {
    severity: 'error',
    expected: 'code that needs no relocation',
    mend: 'compile what goes into it with -fPIC (in CFLAGS)',
  },
  unstripped: {
    severity: 'error',
    expected: 'stripped programs and libraries',
    mend: 'leave the phase strip as it is, or strip them in the install phase: strip --strip-unneeded FILE',
  },
  'unusual-path': {
    severity: 'warning',
    expected: 'files below the usual directories: /usr, /etc, /var, /opt, /srv',
    mend: 'give --prefix=/usr to the build, or install below /opt',
  },
  'world-writable': {
    severity: 'error',
    expected: 'nothing that everybody may write to',
    mend: 'chmod o-w in the install phase',
  },
  'wrong-machine': {
    severity: 'error',
    expected: 'programs and libraries for the platform that is built for',
    mend: 'leave out what was made for other machines, or let the build compile it',
  },
};
