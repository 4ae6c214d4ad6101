import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn } from './files';
import { type Home, readLines } from './home';
import type { HostFact, Task } from './hosts';
import type { HostNote } from './ledger';

/** What was noted of the hosts of a run, oldest first. */
export function notesOf(home: Home, runId: string): readonly HostNote[] {
  return readLines(notesFile(home, runId));
}

/** Where it is noted. */
export function notesFile({ path }: Home, runId: string): string {
  return join(path, 'hosts', `${runId}.jsonl`);
}

/** What is known of the attempts that are at work. */
export interface Attempts {
  readonly speed: number;
  readonly begun: Map<string, number>;
  readonly noticed: Set<string>;
}

/** What is kept of a fact. An attempt that a Spot interruption ended is asked what it left unsaved. */
export function noteOf(fact: HostFact, home: Home, { speed, begun, noticed }: Attempts): HostNote {
  const { jobId, host, attempt, wanted, index } = fact.task;
  const { runId, spec } = wanted;
  const which = { runId, job: spec.name, index, host, attempt };
  const common = { ...which, kind: fact.kind, at: fact.at, speed };
  const unsaved = () => unsavedMs(writtenTo(fact.task, home), begun.get(jobId) ?? Date.now());
  switch (fact.kind) {
    case 'started':
      begun.set(jobId, Date.now());
      return common;
    case 'noticed':
      noticed.add(jobId);
      return common;
    case 'killed':
      noticed.delete(jobId);
      return { ...common, unsavedMs: unsaved() };
    default: {
      const { exitCode } = fact.exit;
      if (!noticed.delete(jobId) || exitCode === 0) return { ...common, exitCode };
      return { ...common, exitCode, unsavedMs: unsaved() };
    }
  }
}

/** Where a job's files are: a task of an array has a folder of its own, if it does as our sample job. */
function writtenTo({ wanted, index }: Task, home: Home): string {
  const folder = home.dataOf(wanted.storage);
  if (index === undefined) return folder;
  const own = join(folder, `task-${String(index).padStart(4, '0')}`);
  return existsSync(own) ? own : folder;
}

/** Real time since an attempt last wrote to its storage: all of it, where it never did. */
function unsavedMs(folder: string, begun: number): number {
  const written = filesIn(folder).map(({ mtimeMs }) => mtimeMs);
  return Math.max(0, Date.now() - Math.max(begun, ...written));
}
