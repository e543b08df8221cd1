// Completes package-lock.json with the optional packages of other platforms that a registry does not carry. `npm install`
// leaves those out, and `npm ci` then refuses the lock: "Missing: … from lock file". Run after every change of a
// dependency: node scripts/complete-lock.js
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(readFileSync(path, 'utf8'));
let added = 0;
for (const [place, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (place === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const entry = `node_modules/${name}`;
    if (entry in lock.packages) continue;
    lock.packages[entry] = { version, ...(dev ? { dev } : {}), optional: true, ...platformOf(name) };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);

/** Platforms are told by the package's name: `cli-linux-x64-musl`, `binding-darwin-arm64`. */
function platformOf(name) {
  const os = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
  const cpu = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
  const words = name.split(/[/-]/);
  const found = { os: os.filter((word) => words.includes(word)), cpu: cpu.filter((word) => words.includes(word)) };
  return {
    os: found.os.length > 0 ? found.os : ['none'],
    ...(found.cpu.length > 0 ? { cpu: found.cpu } : {}),
    ...(words.includes('musl') ? { libc: ['musl'] } : {}),
  };
}
