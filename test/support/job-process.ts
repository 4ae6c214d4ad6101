import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** How an attempt of a sample job ended, and what it said. */
export interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly lastError: string | undefined;
}

/** Waits for the end of a job that leads a process group, and for the last process of that group. */
export async function ending(job: ChildProcess, goneWithinMs: number): Promise<End> {
  let out = '';
  let err = '';
  job.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  job.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = await once(job, 'close');
  const isGone = () => !isAlive(Number(job.pid));
  await until('every process of the job is gone', isGone, goneWithinMs);
  return { code, signal, out, lastError: err.trim().split('\n').at(-1) };
}

/** Whether a process of the group still runs: what is dead and only waits for init does not. */
function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  const { stdout } = spawnSync('ps', ['-eo', 'pgid=,stat='], { encoding: 'utf8' });
  return new RegExp(`^ *${group} +[^Z ]`, 'm').test(stdout);
}

/** Looks every few milliseconds until it holds; throws when it takes too long. */
export async function until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
    await sleep(3);
  }
}

/** Real time: these jobs are processes. */
export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
