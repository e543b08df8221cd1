import { Worker } from 'node:worker_threads';
import { workerModule } from '../layer/worker-module.ts';
import type { DebianPin } from '../model/lock.ts';
import {
  type ConversionAnswer,
  type ConversionSetting,
  type ConversionTask,
  unpackFailure,
} from './conversion-task.ts';
import type { ConvertedDeb } from './convert-deb.ts';

/** A thread that converts packages, one at a time. */
export interface ConversionThread {
  convert(pin: DebianPin): Promise<ConvertedDeb>;
  /** Ends it at once, whatever it is doing. */
  end(): Promise<void>;
}

export function startConversionThread(
  setting: ConversionSetting,
  onWarning: ((text: string) => void) | undefined,
): ConversionThread {
  const { url, options } = workerModule(import.meta.url, 'conversion-worker');
  const worker = new Worker(url, { ...options, workerData: setting });
  let task: { resolve(converted: ConvertedDeb): void; reject(error: unknown): void } | undefined;
  const fail = (error: unknown) => task?.reject(error);
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('A converting thread ended before its work')));
  worker.on('message', (answer: ConversionAnswer) => {
    if (answer.kind === 'warning') onWarning?.(answer.text);
    else if (answer.kind === 'converted') task?.resolve(answer.converted);
    else fail(unpackFailure(answer.failure));
  });
  return {
    convert: (pin) =>
      new Promise((resolve, reject) => {
        task = { resolve, reject };
        const message: ConversionTask = { pin };
        worker.postMessage(message);
      }),
    end: async () => {
      await worker.terminate();
    },
  };
}
