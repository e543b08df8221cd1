import { rmSync } from 'node:fs';
import { type Measurement, measurementTable, measureReader } from './measure-readers.ts';
import { READERS } from './readers.ts';
import { scratch } from './scratch.ts';

/** Prints the table, or the measurements as JSON for the test. Arguments are parts of names: only those are measured. */
const [mode, ...names] = process.argv.slice(2);
const measured: Measurement[] = [];
try {
  for (const reader of READERS) {
    if (names.length > 0 && !names.some((name) => reader.name.includes(name))) continue;
    const measurement = await measureReader(reader);
    measured.push(measurement);
    if (mode === '--verbose') process.stderr.write(`${measurementTable([measurement]).split('\n')[1]}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (mode === '--json') process.stdout.write(JSON.stringify(measured));
else {
  process.stdout.write(`${measurementTable(measured)}\n`);
  for (const { reader, defects } of measured)
    for (const defect of defects.slice(0, 3)) process.stdout.write(`\n${reader}: ${defect}\n`);
}
