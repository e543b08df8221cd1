// hold-lock.ts PATH MODE: takes a lock, says "held", and holds it until it is killed.
import { acquireLock, type LockMode } from '../../../src/system/lock.ts';

const [path, mode] = process.argv.slice(2);
await acquireLock(path!, mode as LockMode);
process.stdout.write('held\n');
setInterval(() => undefined, 1000);
