// lock-without-flock.ts PATH [COMMAND…]: takes a lock, with COMMAND as flock where one is given; prints how that went.
import { BuilditError } from '../../../src/model/errors.ts';
import { acquireLock, setFlockCommand } from '../../../src/system/lock.ts';

const [path, ...command] = process.argv.slice(2);
if (command.length > 0) setFlockCommand(command);
try {
  (await acquireLock(path!, 'exclusive')).release();
  process.stdout.write('locked\n');
} catch (error) {
  process.stdout.write(`${error instanceof BuilditError ? error.code : error}\n`);
}
