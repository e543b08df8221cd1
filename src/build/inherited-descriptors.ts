import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC as /proc/PID/fdinfo shows it, in octal, where linux/fcntl.h has it on x86_64 and arm64. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes what this process was started with above the three standard descriptors and would hand on to every child. Node
 * marks what it opens itself, and what it finds in an unbroken row at its start, as close-on-exec; only strays beyond a
 * gap are left, and nothing in this process uses them. In a sandbox an inherited descriptor of a directory is a way out.
 */
export function closeInheritedDescriptors(): void {
  for (const descriptor of inheritedDescriptors()) closeSync(descriptor);
}

/** Descriptors above 2 that a child would get without being given them. */
export function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && passesOn(descriptor))
    .sort((a, b) => a - b);
}

function passesOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The descriptor of the listing itself is gone by now.
    return false;
  }
}
