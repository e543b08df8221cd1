import type { Duplex } from 'node:stream';

/** Memory of the kernel that a sandbox holds in System V objects, as far as it has told. */
export interface IpcMeter {
  /** Asks again; the answer counts from the next call on. `silent` where many questions in a row were not answered. */
  measure(): { readonly bytes: number; readonly silent: boolean };
  /** Whether anything was said: the process that answers speaks first, before the command starts. */
  heard(): boolean;
}

/** So many questions and so long without an answer tell that the process that answers was ended or stopped. */
const PATIENCE = { questions: 60, ms: 30_000 };

/**
 * Shared memory that nothing has attached is in no process and no file system, and only those in its namespace can read
 * how much there is: a process of buildit in the sandbox, at the other end of `channel`, answers each line with a number
 * (`ANSWER_USAGE`).
 */
export function createIpcMeter(channel: Duplex, now: () => number = () => performance.now()): IpcMeter {
  let bytes = 0;
  let unanswered = 0;
  let answeredAt = now();
  let open = true;
  let heard = false;
  let text = '';
  channel.on('data', (chunk: Buffer) => {
    heard = true;
    text = (text + chunk.toString('latin1')).slice(-64);
    const told = /(?:^|\n)([0-9]{1,18})\n[0-9]*$/.exec(text)?.[1];
    if (told === undefined) return;
    bytes = Number(told);
    unanswered = 0;
    answeredAt = now();
  });
  channel.on('error', () => undefined);
  channel.on('close', () => {
    open = false;
  });
  return {
    heard: () => heard,
    measure() {
      // Writing to an end that closed early would drop what it said before.
      if (!heard) return { bytes: 0, silent: false };
      if (open) channel.write('?\n');
      unanswered += 1;
      return { bytes, silent: unanswered > PATIENCE.questions && now() - answeredAt > PATIENCE.ms };
    },
  };
}

/**
 * A function for bash that writes on a channel what the System V objects of its namespace hold: pages of shared memory in
 * memory and swap (proc_sysvipc_shm(5)), messages with their heads, semaphores at a line of cache each (ipc/msg.c, ipc/sem.c).
 */
export const ANSWER_USAGE = `answer_usage() {
  local lines line bytes=0 IFS=$' \\t\\n'
  set -f
  mapfile -t -s 1 lines </proc/sysvipc/shm
  for line in "\${lines[@]}"; do set -- "$1" $line; ((bytes += \${16:-0} + \${17:-0})); done
  mapfile -t -s 1 lines </proc/sysvipc/msg
  for line in "\${lines[@]}"; do set -- "$1" $line; ((bytes += \${5:-0} + \${6:-0} * 64 + 256)); done
  mapfile -t -s 1 lines </proc/sysvipc/sem
  for line in "\${lines[@]}"; do set -- "$1" $line; ((bytes += \${5:-0} * 64 + 256)); done
  set +f
  echo "$bytes" >&"$1"
}`;
