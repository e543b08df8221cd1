import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '../store/store.ts';
import { setFlockCommand } from '../system/lock.ts';
import { type ConversionAnswer, type ConversionSetting, type ConversionTask, packFailure } from './conversion-task.ts';
import { convertDeb } from './convert-deb.ts';

const setting = workerData as ConversionSetting;
const port = parentPort!;
if (setting.flock !== undefined) setFlockCommand(setting.flock);
const answer = (message: ConversionAnswer) => port.postMessage(message);
const store = openStore(setting.store, { onWarning: (text) => answer({ kind: 'warning', text }) });

port.on('message', async ({ pin }: ConversionTask) => {
  try {
    const { encode, tree } = setting;
    answer({ kind: 'converted', converted: await convertDeb(await store, pin, { encode, tree }) });
  } catch (error) {
    answer({ kind: 'failed', failure: packFailure(error) });
  }
});
