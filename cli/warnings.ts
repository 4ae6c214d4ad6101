import { statfsSync } from 'node:fs';
import type { Run } from '../events';
import type { Home } from '../sim/home';
import type { HostNote } from '../sim/ledger';

/** What a person should still be told of a run, however it ended. */
export function warningsOf(run: Run, home: Home, notes: readonly HostNote[]): string[] {
  return [...earlyLeavers(notes), ...underShells(run, notes), ...fullDisk(run, home)];
}

/** Jobs that answered SIGTERM with 0: Batch takes that for finished. */
function earlyLeavers(notes: readonly HostNote[]): string[] {
  const warned = new Set<string>();
  const early = notes.filter(({ kind, job, exitCode }) => {
    if (kind === 'noticed') warned.add(job);
    else if (kind === 'ended') return warned.delete(job) && exitCode === 0;
    return false;
  });
  return early.map(
    ({ job }) =>
      `Job ${job} left with 0 after SIGTERM, which says finished: Batch did not call it again. If it was not finished, let it leave with 143.`,
  );
}

/** Commands that stayed under a shell: SIGTERM ends the shell, and its 143 looks like the job's own. */
function underShells({ jobs }: Run, notes: readonly HostNote[]): string[] {
  const noticed = new Set(notes.filter(({ kind }) => kind === 'noticed').map(({ job }) => job));
  return Object.values(jobs)
    .filter(({ name, command: [shell, flag, text = ''] = [] }) => {
      return noticed.has(name) && shell === '/bin/sh' && flag === '-c' && !text.startsWith('exec ');
    })
    .map(
      ({ name }) =>
        `The command of job ${name} is several for a shell, and SIGTERM goes to that shell alone: your program may not have heard it. Put them into a script that traps TERM, or execs its last program.`,
    );
}

/** Less is as good as nothing. */
const SPACE_BYTES_MIN = 4 * 1024 * 1024;

function fullDisk({ status }: Run, { path }: Home): string[] {
  const { bavail, bsize } = statfsSync(path);
  if (status === 'succeeded' || bavail * bsize >= SPACE_BYTES_MIN) return [];
  return [
    `No space is left on the disk of ${path}: the job may have failed for that, and what it said last may be lost.`,
  ];
}
