// remove-tree.ts PATH: removes a tree and says so.
import { removeTree } from '../../../src/system/files.ts';

await removeTree(process.argv[2]!);
process.stdout.write('removed\n');
