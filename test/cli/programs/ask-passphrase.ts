import { passphraseQuestion } from '../../../src/cli/ask-passphrase.ts';
import { textStreamOf } from '../../../src/cli/text-stream.ts';

/** Asks for a passphrase and says what was answered. */
const ask = passphraseQuestion({ stderr: textStreamOf(process.stderr, () => {}) });
process.stdout.write(`answer: ${JSON.stringify((await ask?.('Passphrase: ')) ?? null)}\n`);
