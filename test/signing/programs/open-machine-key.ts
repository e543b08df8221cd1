import { openMachineKey } from '../../../src/signing/machine-key.ts';
import { fingerprint } from '../../../src/signing/public-key.ts';

/** Waits for a word on standard input, then opens the key of this machine and says which it is. */
process.stdout.write('ready\n');
process.stdin.once('data', async () => {
  const { publicKey } = await openMachineKey(process.env, process.getuid?.());
  process.stdout.write(`${fingerprint(publicKey)}\n`);
  process.exit();
});
