import { closeSync, openSync } from 'node:fs';

/**
 * Puts /dev/null in the place of a terminal that hung up. Node gives a terminal its settings back when it ends, and
 * aborts where the terminal refuses (`ResetStdio` of node.cc); it leaves descriptors alone that were opened anew.
 */
export function letGoOfTerminal(): void {
  for (const descriptor of [0, 1, 2]) {
    try {
      closeSync(descriptor);
    } catch {
      // It was closed already.
    }
    // The lowest free number is taken, which is this one.
    openSync('/dev/null', 'r+');
  }
}
