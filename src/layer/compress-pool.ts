import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FrameCompression } from './compress-frame.ts';
import type { CompressAnswer, CompressTask } from './compress-worker.ts';
import { giveFrameBack } from './frame-memory.ts';
import { workerModule } from './worker-module.ts';

/** A thread uses about 30 MiB; more than these would not be fed fast enough by one reader anyway. */
const MOST_THREADS = 16;

interface PoolThread {
  readonly worker: Worker;
  /** Tasks that were sent to it and are not answered yet. */
  readonly waiting: Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void }>;
}

const threads: PoolThread[] = [];
let lastId = 0;

/** Tells whether threads have been started; they stay, idle, until the process ends, and do not keep it from ending. */
export function isPoolRunning(): boolean {
  return threads.length > 0;
}

/** Compresses frames in parallel and gives them back in order. Each frame's memory is handed over and is gone for the caller. */
export async function* compressInPool(
  frames: AsyncIterable<Uint8Array>,
  compression: FrameCompression,
): AsyncGenerator<Uint8Array, void, undefined> {
  const ahead = Math.min(availableParallelism(), MOST_THREADS) + 1;
  const underWay: Promise<Uint8Array>[] = [];
  try {
    for await (const frame of frames) {
      underWay.push(compressInThread(frame, compression));
      if (underWay.length > ahead) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    // Whoever stops early still lets what is under way end, so that no rejection goes unheard.
    await Promise.allSettled(underWay);
  }
}

function compressInThread(bytes: Uint8Array, compression: FrameCompression): Promise<Uint8Array> {
  const thread = leastBusyThread();
  lastId += 1;
  const task: CompressTask = { id: lastId, compression, bytes };
  const answer = new Promise<Uint8Array>((resolve, reject) => thread.waiting.set(task.id, { resolve, reject }));
  thread.worker.ref();
  thread.worker.postMessage(task, [bytes.buffer as ArrayBuffer]);
  // Rejections are heard when the frame's turn comes.
  answer.catch(() => undefined);
  return answer;
}

function leastBusyThread(): PoolThread {
  if (threads.length < Math.min(availableParallelism(), MOST_THREADS)) {
    const idle = threads.find(({ waiting }) => waiting.size === 0);
    if (idle !== undefined) return idle;
    const thread = startThread();
    threads.push(thread);
    return thread;
  }
  return threads.reduce((least, thread) => (thread.waiting.size < least.waiting.size ? thread : least));
}

function startThread(): PoolThread {
  const { url, options } = workerModule(import.meta.url, 'compress-worker');
  const thread: PoolThread = { worker: new Worker(url, options), waiting: new Map() };
  thread.worker.on('message', (answer: CompressAnswer) => {
    const task = thread.waiting.get(answer.id);
    thread.waiting.delete(answer.id);
    if (thread.waiting.size === 0) thread.worker.unref();
    if ('error' in answer) task?.reject(new Error(answer.error));
    else {
      giveFrameBack(answer.frame);
      task?.resolve(answer.bytes);
    }
  });
  thread.worker.on('error', (error) => endThread(thread, error));
  thread.worker.on('exit', () => endThread(thread, new Error('A compressing thread ended')));
  return thread;
}

function endThread(thread: PoolThread, error: Error): void {
  const index = threads.indexOf(thread);
  if (index >= 0) threads.splice(index, 1);
  for (const { reject } of thread.waiting.values()) reject(error);
  thread.waiting.clear();
}
