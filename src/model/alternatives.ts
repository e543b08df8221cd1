/**
 * Links that Debian's maintainer scripts make with `update-alternatives`, each with its possible targets in the order of
 * Debian's priorities. Targets are relative to the link's directory. Taken from the scripts of bookworm and trixie.
 */
export const ALTERNATIVES: Readonly<Record<string, readonly string[]>> = {
  'etc/mysql/my.cnf': ['mariadb.cnf', 'mysql.cnf'],
  'usr/bin/aclocal': ['aclocal-1.17', 'aclocal-1.16'],
  'usr/bin/automake': ['automake-1.17', 'automake-1.16'],
  'usr/bin/awk': ['gawk', 'mawk', 'original-awk'],
  'usr/bin/c++': ['g++'],
  'usr/bin/c89': ['c89-gcc'],
  'usr/bin/c99': ['c99-gcc'],
  'usr/bin/cc': ['gcc'],
  'usr/bin/editor': ['nano', 'vim.basic', 'vim.nox', 'vim.tiny', 'ed'],
  'usr/bin/ex': ['vim.basic', 'vim.nox', 'vim.tiny'],
  'usr/bin/f77': ['gfortran'],
  'usr/bin/f95': ['gfortran'],
  'usr/bin/faked': ['faked-sysv', 'faked-tcp'],
  'usr/bin/fakeroot': ['fakeroot-sysv', 'fakeroot-tcp'],
  'usr/bin/ftp': ['tnftp'],
  'usr/bin/js': ['nodejs'],
  'usr/bin/ksh': ['ksh93', 'mksh', 'mksh-static'],
  'usr/bin/locate': ['plocate'],
  'usr/bin/lua': ['lua5.3', 'lua5.4', 'lua5.2', 'lua5.1'],
  'usr/bin/luac': ['luac5.3', 'luac5.4', 'luac5.2', 'luac5.1'],
  'usr/bin/lzcat': ['xzcat'],
  'usr/bin/lzcmp': ['xzcmp'],
  'usr/bin/lzdiff': ['xzdiff'],
  'usr/bin/lzegrep': ['xzegrep'],
  'usr/bin/lzfgrep': ['xzfgrep'],
  'usr/bin/lzgrep': ['xzgrep'],
  'usr/bin/lzless': ['xzless'],
  'usr/bin/lzma': ['xz'],
  'usr/bin/lzmore': ['xzmore'],
  'usr/bin/mt': ['mt-st', 'mt-gnu'],
  'usr/bin/nawk': ['gawk', 'mawk'],
  'usr/bin/nc': ['nc.openbsd', 'nc.traditional'],
  'usr/bin/netcat': ['nc.openbsd', 'nc.traditional'],
  'usr/bin/pager': ['less', 'more'],
  'usr/bin/phar': ['phar8.4', 'phar8.2'],
  'usr/bin/php': ['php8.4', 'php8.2'],
  'usr/bin/pico': ['nano'],
  'usr/bin/pinentry': ['pinentry-curses', 'pinentry-tty'],
  'usr/bin/rename': ['file-rename'],
  'usr/bin/sar': ['sar.sysstat'],
  'usr/bin/telnet': ['inetutils-telnet'],
  'usr/bin/traceroute': ['traceroute.db'],
  'usr/bin/unlzma': ['unxz'],
  'usr/bin/updatedb': ['../sbin/updatedb.plocate'],
  'usr/bin/vi': ['vim.basic', 'vim.nox', 'vim.tiny'],
  'usr/bin/view': ['vim.basic', 'vim.nox', 'vim.tiny'],
  'usr/bin/vim': ['vim.basic', 'vim.nox'],
  'usr/bin/w': ['w.procps'],
  'usr/bin/which': ['gnuwhich', 'which.debianutils'],
  'usr/bin/yacc': ['bison.yacc', 'byacc'],
  'usr/lib/cpp': ['../bin/cpp'],
  'usr/sbin/arptables': ['arptables-nft', 'arptables-legacy'],
  'usr/sbin/arptables-restore': ['arptables-nft-restore', 'arptables-legacy-restore'],
  'usr/sbin/arptables-save': ['arptables-nft-save', 'arptables-legacy-save'],
  'usr/sbin/ebtables': ['ebtables-nft', 'ebtables-legacy'],
  'usr/sbin/ebtables-restore': ['ebtables-nft-restore', 'ebtables-legacy-restore'],
  'usr/sbin/ebtables-save': ['ebtables-nft-save', 'ebtables-legacy-save'],
  'usr/sbin/ip6tables': ['ip6tables-nft', 'ip6tables-legacy'],
  'usr/sbin/ip6tables-restore': ['ip6tables-nft-restore', 'ip6tables-legacy-restore'],
  'usr/sbin/ip6tables-save': ['ip6tables-nft-save', 'ip6tables-legacy-save'],
  'usr/sbin/iptables': ['iptables-nft', 'iptables-legacy'],
  'usr/sbin/iptables-restore': ['iptables-nft-restore', 'iptables-legacy-restore'],
  'usr/sbin/iptables-save': ['iptables-nft-save', 'iptables-legacy-save'],
  ...javaTools(),
  ...numericLibraries('x86_64-linux-gnu'),
  ...numericLibraries('aarch64-linux-gnu'),
};

/** Each program of a Java runtime, from the newest one that is there. */
function javaTools(): Record<string, readonly string[]> {
  const tools = ['java', 'javac', 'jar', 'javadoc', 'javap', 'jcmd', 'jdb', 'jlink', 'jmap', 'jps', 'jshell', 'jstack'];
  const homes = ['25', '21', '17'].flatMap((version) =>
    ['amd64', 'arm64'].map((architecture) => `../lib/jvm/java-${version}-openjdk-${architecture}/bin`),
  );
  return Object.fromEntries(
    [...tools, 'keytool', 'rmiregistry'].map((tool) => [`usr/bin/${tool}`, homes.map((home) => `${home}/${tool}`)]),
  );
}

/** BLAS and LAPACK: several packages have them, and what links to them finds them by these links alone. */
function numericLibraries(triplet: string): Record<string, readonly string[]> {
  const directory = `usr/lib/${triplet}`;
  const variants = ['openblas-pthread', 'openblas-openmp', 'openblas-serial'];
  const targets = (library: string, ...others: string[]) =>
    [...variants, ...others].map((name) => `${name}/${library}`);
  return {
    [`${directory}/libblas.so.3`]: targets('libblas.so.3', 'atlas', 'blas'),
    [`${directory}/liblapack.so.3`]: targets('liblapack.so.3', 'atlas', 'lapack'),
    [`${directory}/libopenblas.so.0`]: targets('libopenblas.so.0'),
  };
}
